"""Checks whether a report rests on a private Hub repository, so that it must not become public."""

import re
from collections.abc import Iterator

from huggingface_hub import HfApi

from diffing.hub import is_private
from diffing.model_ref import ModelPlace, read_ref
from diffing.outputs.address_removal import models_in
from diffing.types import Report

_DATASET = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:[@:/]|$)", re.ASCII)


def private_part(report: Report, api: HfApi) -> str | None:
    """Returns a private repository that a report's models, prompts or recorded responses come from; None without one.

    Args:
        report: The report to be published.
        api: A Hub client for the publisher. Repositories that it cannot see are not known to be private.

    Raises:
        HubError: The Hub cannot be reached.
    """
    models = dict.fromkeys(name for info in models_in(report) for name in info.ref.repositories)
    found = (name for name in models if is_private(api, name))
    also = (name for name in _datasets(report) if is_private(api, name, repo_type="dataset"))
    return next(found, None) or next(also, None)


def _datasets(report: Report) -> Iterator[str]:
    """Yields the datasets that prompts and recorded responses come from."""
    given = {key: str(report.settings.get(key, "")) for key in ("model_a", "model_b", "prompts")}
    models = (read_ref(given[key]) for key in ("model_a", "model_b"))
    recorded = (ref.source for ref in models if ref.place == ModelPlace.RECORDED)
    for source in dict.fromkeys((*recorded, given["prompts"])):
        if match := _DATASET.match(source):
            yield match["repo"]
