"""Writes the model card (README.md) of a trained crosscoder: which models, on what it was trained, how good it is.

All text from models and users is escaped, as in the cards of datasets.
"""

import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

from diffing.methods.crosscoder.exclusive import EXCLUSIVE
from diffing.model_ref import read_ref
from diffing.outputs.dictionary.parts import Published
from diffing.outputs.markdown_code import block, code
from diffing.outputs.markdown_escape import code_cell, prose
from diffing.rendering import environment, templates_of
from diffing.types import Scalar

if TYPE_CHECKING:
    from jinja2 import Template

TAG = "diffing-crosscoder"
"""The tag of every crosscoder that this package publishes."""


def dictionary_card(published: Published, repo_id: str) -> bytes:
    """Returns the repository's README.md.

    Args:
        published: The dictionary and the run that trained it.
        repo_id: The repository, `user/name`.
    """
    report, settings = published.report, published.settings
    versions = [code(f"{name} {version}", 60) for name, version in sorted(report.versions.items())]
    text = _template().render(
        metadata=_metadata(published),
        models=list(zip("AB", published.models, settings["source"]["layers"], strict=True)),
        settings=settings,
        own=settings["partition"],
        quality=published.quality,
        difference=published.has_difference,
        prompts=sum(pair.prompt.split == "train" for pair in report.pairs),
        corpus=str(report.settings.get("corpus") or ""),
        command=_command(published.models, repo_id),
        exclusive=EXCLUSIVE,
        versions=versions,
    )
    return text.encode("utf-8", errors="replace")


@cache
def _template() -> "Template":
    # no automatic escaping, since this is not HTML: every value from outside goes through one of the filters
    templates = environment(templates_of(__package__), escapes=False)
    templates.filters |= {"md": prose, "code": code_cell, "block": block, "share": _share, "number": _number}
    return templates.get_template("README.md.jinja")


def _metadata(published: Published) -> str:
    import yaml

    metadata: dict[str, Any] = {
        "license": "other",
        "license_name": "as-its-models",
        "tags": [TAG, "crosscoder"],
        "crosscoder_models": list(published.models),
        "base_model": list(published.repositories),
    }
    present = {key: value for key, value in metadata.items() if value}
    return str(yaml.safe_dump(present, sort_keys=False, allow_unicode=False, width=1000))


def _command(models: tuple[str, str], repo_id: str) -> str:
    pair = [read_ref(model).plain for model in models]
    return shlex.join(["diffing", "run", *pair, "--method", "crosscoder", "--crosscoder", repo_id])


def _share(value: Scalar) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else "unknown"


def _number(value: Scalar) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else "unknown"
