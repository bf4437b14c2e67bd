"""Writes the model card (README.md) of what was trained: which models, on which texts, how good it is.

All text from models and users is escaped, as in the cards of datasets.
"""

import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

from diffing.methods.crosscoder.exclusive import EXCLUSIVE
from diffing.model_ref import read_ref
from diffing.outputs.dictionary.parts import Kind, PublishedDictionary
from diffing.outputs.markdown_code import block, code
from diffing.outputs.markdown_escape import code_cell, prose
from diffing.rendering import environment, templates_of
from diffing.types import Scalar

if TYPE_CHECKING:
    from jinja2 import Template

MODELS = "diffing_models"
"""The key of both models, with their commits, in the card's YAML."""


def tag_of(kind: Kind) -> str:
    """Returns the tag of everything of this kind that the package publishes."""
    return f"diffing-{kind}"


def dictionary_card(published: PublishedDictionary, repo_id: str) -> bytes:
    """Returns the repository's README.md.

    Args:
        published: The dictionary and the run that trained it.
        repo_id: The repository, `user/name`.
    """
    report, settings = published.report, published.settings
    versions = [code(f"{name} {version}", 60) for name, version in sorted(report.versions.items())]
    text = _template(published.kind).render(
        metadata=_metadata(published),
        models=published.models,
        settings=settings,
        quality=published.quality,
        difference=published.has_difference,
        prompts=sum(pair.prompt.split == "train" for pair in report.pairs),
        corpus=str(report.settings.get("corpus") or ""),
        command=_command(published, repo_id),
        exclusive=EXCLUSIVE,
        versions=versions,
    )
    return text.encode("utf-8", errors="replace")


@cache
def _template(kind: Kind) -> "Template":
    # no automatic escaping, since this is not HTML: every value from outside goes through one of the filters
    templates = environment(templates_of(__package__), escapes=False)
    templates.filters |= {"md": prose, "code": code_cell, "block": block, "share": _share, "number": _number}
    return templates.get_template(f"{kind}.md.jinja")


def _metadata(published: PublishedDictionary) -> str:
    import yaml

    metadata: dict[str, Any] = {
        "license": "other",
        "license_name": "as-its-models",
        "tags": [tag_of(published.kind), published.kind],
        MODELS: list(published.models),
        "base_model": list(published.repositories),
    }
    present = {key: value for key, value in metadata.items() if value}
    return str(yaml.safe_dump(present, sort_keys=False, allow_unicode=False, width=1000))


def _command(published: PublishedDictionary, repo_id: str) -> str:
    pair = [read_ref(model).plain for model in published.models]
    return shlex.join(["diffing", "run", *pair, "--method", published.kind, f"--{published.kind}", repo_id])


def _share(value: Scalar) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else "unknown"


def _number(value: Scalar) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else "unknown"
