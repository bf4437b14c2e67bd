"""Parses model strings into `ModelRef` objects: both what users type (specs) and what reports store (ids).

A *spec* is what a user types. `parse_spec` parses it, looks for folders on this machine, and refuses text that cannot
name a model. An *id* is what a report stores once the model is resolved. `read_ref` parses it and accepts any text,
since a recording may contain any name. Nothing here uses the network.
"""

import os
import re
from dataclasses import replace

from diffing.errors import SettingError
from diffing.model_ref.ref import LOCAL_PREFIX, ON_THIS_MACHINE, ModelPlace, ModelRef, is_hub_name
from diffing.paths import check_text, existing

_COMMIT = re.compile(r"[0-9a-f]{40}")
_CONTENT_HASH = re.compile(r"[0-9a-f]{12}")


def parse_spec(spec: str) -> ModelRef:
    """Parses a model string that a user typed.

    Args:
        spec: `org/name[@revision]`, a folder or `base+adapter`, each optionally after `local:`;
            `providers:org/name[:provider]`; `openai:name[@URL]`; `recorded:file[+file of prompts]` or
            `recorded:user/dataset`; `vllm:` and a name as for `local:`; or the prefix of another backend with its own
            syntax.

    Raises:
        SettingError: The string is empty or not one line of text, or names neither a folder nor a repository.
    """
    if not spec.strip():
        raise SettingError(
            "A model is empty: expected a Hub id such as org/name, a folder, or providers:..., openai:..., recorded:..."
        )
    check_text(spec, "A model")
    prefix, colon, rest = spec.partition(":")
    if not colon or "/" in prefix or prefix in ("", LOCAL_PREFIX, *ON_THIS_MACHINE):
        return parse_local_spec(spec)
    if prefix == ModelPlace.OPENAI:
        return _on_server(rest, any_address=False)
    if prefix == ModelPlace.RECORDED:
        return parse_recorded_spec(rest)
    if prefix == ModelPlace.PROVIDERS:
        return _by_provider(rest)
    if prefix == ModelPlace.VLLM and not _is_folder(spec):
        return replace(parse_local_spec(rest), place=ModelPlace.VLLM, marked=False)
    return parse_local_spec(spec) if _is_folder(spec) else ModelRef(prefix, rest)


def parse_local_spec(spec: str) -> ModelRef:
    """Parses the name of a model that runs on this machine, optionally after `local:`.

    An existing folder with exactly this name wins, so that folders with `+` or `@` in their names can be used.

    Raises:
        SettingError: The name is neither a folder, nor a repository's name, nor two of them joined by `+`.
    """
    name = spec.removeprefix(f"{LOCAL_PREFIX}:")
    if ref := _local(name):
        return replace(ref, marked=name != spec)
    raise SettingError(
        f"A local model is org/name[@revision], an existing folder, or base+adapter; {spec!r:.100} is none of "
        "them: check the spelling."
    )


def local_parts(ref: ModelRef) -> tuple[ModelRef, ...]:
    """The base of a model that vLLM runs and its adapter, if it has one, as models whose files are read here.

    Raises:
        SettingError: A part is neither a folder nor a repository's name.
    """
    return tuple(parse_local_spec(str(replace(part, place=ModelPlace.NAMED))) for part in ref.parts)


def parse_recorded_spec(source: str) -> ModelRef:
    """Parses the location of recorded responses: a file, `responses+prompts`, a folder or a Hub dataset."""
    first, plus, second = source.rpartition("+")
    answers = existing(first) if plus and existing(source) is None else None
    if answers is not None and answers.is_file():
        return ModelRef(ModelPlace.RECORDED, first, companion=second)
    return ModelRef(ModelPlace.RECORDED, source)


def read_ref(text: str) -> ModelRef:
    """Parses the id of a model in a report. Any text is accepted, including specs, which are not resolved."""
    prefix, colon, rest = text.partition(":")
    if colon and prefix == ModelPlace.OPENAI:
        return _on_server(rest, any_address=True)
    if colon and prefix == ModelPlace.PROVIDERS:
        return _by_provider(rest)
    if colon and prefix in (ModelPlace.RECORDED, ModelPlace.SCRIPTED):
        return ModelRef(prefix, *_cut(rest, "@"))
    if colon and prefix == ModelPlace.VLLM:
        return replace(_weights(rest), place=ModelPlace.VLLM)
    if colon and prefix == LOCAL_PREFIX:
        return replace(_weights(rest), marked=True)
    return _weights(text)


def as_asked_again(spec: str, answered: ModelRef) -> str | None:
    """Returns the spec by which a model of a stored report can be asked again; on the Hub at the commit that was run.

    Args:
        spec: The spec in the report's settings. Of a folder or file it is only the name, without where it lies.
        answered: The id of the model that answered.

    Returns:
        The spec, or None if it is the name of a folder or file that is not here.
    """
    ref = read_ref(spec)
    if pinned := ref.pinned_to(answered):
        return str(pinned)
    name = ref.source if ref.place == ModelPlace.RECORDED else spec
    return spec if ref.remote or "/" in name or os.path.exists(name) else None


def is_recorded(spec: str) -> bool:
    """Whether a spec names recorded responses."""
    return read_ref(spec).place == ModelPlace.RECORDED


def is_remote(spec: str) -> bool:
    """Whether a spec names a model on a server."""
    return read_ref(spec).remote


def by_providers(name: str) -> str:
    """The spec of a model that Inference Providers serve.

    Args:
        name: `org/name[:provider]`.
    """
    return str(_by_provider(name))


def _is_folder(text: str) -> bool:
    path = existing(text)
    return path is not None and path.is_dir()


def _local(name: str) -> ModelRef | None:
    whole = _local_part(name)
    if whole is not None and whole.place == ModelPlace.FOLDER:
        return whole
    for at in (i for i, sign in enumerate(name) if sign == "+"):
        base, adapter = _local_part(name[:at]), _local_part(name[at + 1 :])
        if base is not None and adapter is not None:
            return replace(base, adapter=adapter)
    return whole


def _local_part(text: str) -> ModelRef | None:
    if _is_folder(text):
        return ModelRef(ModelPlace.FOLDER, text)
    if text.startswith((".", "/", "~")) or text.endswith("@") or "\\" in text:
        return None
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    name, revision = _cut(text, "@")
    try:
        validate_repo_id(name)
    except HFValidationError:
        return None
    return ModelRef(ModelPlace.HUB, name, revision)


def _weights(text: str) -> ModelRef:
    """Parses the id of weights: `base@revision[+adapter@revision][#loading]`."""
    model, loading = _cut(text, "#")
    base, adapter = _cut(model, "+")
    return replace(_part(base), adapter=None if adapter is None else _part(adapter), loading=loading)


def _part(text: str) -> ModelRef:
    name, revision = _cut(text, "@")
    if revision and _CONTENT_HASH.fullmatch(revision):
        return ModelRef(ModelPlace.FOLDER, name, revision)
    commit = bool(revision and _COMMIT.fullmatch(revision))
    on_hub = is_hub_name(name) and ("/" in name or commit)
    return ModelRef(ModelPlace.HUB if on_hub else ModelPlace.NAMED, name, revision)


def _by_provider(rest: str) -> ModelRef:
    name, provider = _cut(rest, ":")
    return ModelRef(ModelPlace.PROVIDERS, name, provider=provider)


def _on_server(rest: str, *, any_address: bool) -> ModelRef:
    """Parses `name[@address]`.

    In an id, the address has no scheme. In a spec it has one, and any other `@` is part of the name.
    """
    name, at, url = rest.partition("@http")
    if at:
        return ModelRef(ModelPlace.OPENAI, name, address=f"http{url}")
    name, address = _cut(rest, "@") if any_address else (rest, None)
    return ModelRef(ModelPlace.OPENAI, name, address=address)


def _cut(text: str, sign: str) -> tuple[str, str | None]:
    """Splits a text at the first occurrence of a sign; the second part is None if the sign is missing."""
    before, separator, after = text.partition(sign)
    return before, after if separator else None
