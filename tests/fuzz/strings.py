"""Model strings and every other text of a run's config that may name a file, a server or a repository."""

import re
import zlib
from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from diffing.checks import check
from diffing.cli.terminal_text import plain
from diffing.config import DiffConfig, Limits, default_out, local_files, settings_of
from diffing.methods.llm.embedders import load_embedder
from diffing.model_ref import parse_local_spec, parse_spec, read_ref, without_folders
from diffing.models import LoadOptions, load_model
from diffing.models.local.template import read_template
from diffing.paths import existing, path_of
from diffing.prompts import load_prompts
from diffing.report import load_report
from diffing.report.dataset_download import parse_dataset_name
from diffing.view.runs.access import repositories as repositories_of
from diffing.view.runs.visitor_rules import PUBLIC, allowed, is_path
from diffing.view.start.form_parsing import read_form
from tests.fuzz.text import NASTY, mutated, one_line_or_fine

VALID = (
    *(
        "org/name",
        "org/name@main",
        "org/name@" + "a" * 40,
        "org/base+org/adapter",
        "org/base@v1+org/adapter@v2",
        "gpt2",
    ),
    *("providers:org/name", "providers:org/name:together", "openai:name@http://localhost:8000/v1", "openai:name"),
    *("recorded:answers.jsonl", "recorded:user/data@main:config/test", "./folder", "/tmp", "~/models/x", "bundled"),
    *("prompts.csv", "prompts.txt", "user/data:config/split", "recorded:", "local:org/name", "C:\\models\\x"),
)
_REPOSITORY = re.compile(r"(?!\.|-)[\w.-]{1,96}(/[\w.-]{1,96})?(@|:|/|$)", re.ASCII)
_FIELDS = (
    "model_a",
    "prompts",
    "llm",
    "judge",
    "reader",
    "sae",
    "embedder",
    "chat_template_a",
    "base_url",
    "system_prompt_b",
)


def made_string(draw: Random) -> str:
    """A model string, somewhat damaged."""
    text = mutated(draw, draw.choice(VALID))
    return (
        draw.choice(("recorded:", "openai:", "providers:", "~", "./", "org/")) + text if draw.random() < 0.2 else text
    )


def model_strings() -> st.SearchStrategy[str]:
    """Model strings: valid ones, texts of nasty pieces, and any text."""
    valid, pieces = st.sampled_from(VALID), st.sampled_from((*NASTY, *VALID))
    text = st.text(st.characters(codec=None, categories=None), max_size=300)
    return st.one_of(valid, st.lists(pieces, max_size=5).map("".join), text, st.tuples(valid, text).map("".join))


_ON_PAGE = ("model_a", "prompts", "suspect", "system_prompt_a")


def check_string(text: str) -> None:
    """Everything that reads such a text before anything is downloaded; nothing here asks the network."""
    existing(text)
    for read in (path_of, parse_spec, parse_local_spec, _loaded, _prompts, _report, read_template, _embedder, _default):
        with one_line_or_fine():
            read(text)
    chosen = zlib.crc32(text.encode(errors="surrogatepass"))  # each input takes two of the many ways in
    with one_line_or_fine():
        _config(_FIELDS[chosen % len(_FIELDS)], text)
    with one_line_or_fine():
        allowed(read_form({_ON_PAGE[chosen % len(_ON_PAGE)]: text}).config, Limits(), PUBLIC)
    is_path(text), read_ref(text), parse_dataset_name(text), plain(text), without_folders(text)


def _config(name: str, text: str) -> None:
    config = replace(DiffConfig(model_a="org/a", model_b="org/b", method=("lexical",)), **{name: text})
    settings_of(config), local_files(config), default_out(config)
    try:
        check(config, Limits())
    finally:
        with one_line_or_fine():
            repositories_of(config)


def _default(text: str) -> None:
    """A run's folder can always be made: no part of it is longer than file systems take."""
    folder = path_of(default_out(DiffConfig(model_a=text, model_b=text)))
    assert len(folder.parts) == 2


def _loaded(text: str) -> None:
    kind, _, name = text.partition(":")
    if kind == "local" or ("/" in kind and kind) or (kind == "recorded" and _on_hub(name)) or ":" not in text:
        return  # of this machine's models `parse_spec` has read the name
    load_model(text, cache=None, options=LoadOptions(base_url="http://127.0.0.1:9/v1"))


def _prompts(text: str) -> None:
    if not _on_hub(text):
        load_prompts(text, train=1, heldout=1)


def _report(text: str) -> None:
    if parse_dataset_name(text) is None:
        load_report(text)


def _embedder(text: str) -> None:
    if not _on_hub(text) and text != "auto":
        load_embedder(text, 0)


def _on_hub(text: str) -> bool:
    """Whether the Hub could be asked for it, or a folder of this machine be searched for data."""
    found = existing(text)
    return bool(_REPOSITORY.match(text)) or (found is not None and found.is_dir())
