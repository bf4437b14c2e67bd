"""Whether a report must not be published, because it rests on something private on the Hub."""

import re
from collections.abc import Iterator

from huggingface_hub import HfApi

from diffing.hub import is_private
from diffing.model_ref import ModelPlace, read_ref
from diffing.outputs.address_removal import models_in
from diffing.types import Report

_DATASET = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:[@:/]|$)", re.ASCII)


def private_part(report: Report, api: HfApi) -> str | None:
    """A private repository from which models, prompts or recorded responses of a report come, if there is one.

    Args:
        report: What is to be published.
        api: Asks for whoever publishes; what is gone, or not to be seen, is not known to be private.

    Raises:
        HubError: The Hub cannot be reached.
    """
    models = dict.fromkeys(name for info in models_in(report) for name in info.ref.repositories)
    found = (name for name in models if is_private(api, name))
    also = (name for name in _datasets(report) if is_private(api, name, repo_type="dataset"))
    return next(found, None) or next(also, None)


def _datasets(report: Report) -> Iterator[str]:
    """The datasets that prompts and recorded responses come from."""
    given = {key: str(report.settings.get(key, "")) for key in ("model_a", "model_b", "prompts")}
    models = (read_ref(given[key]) for key in ("model_a", "model_b"))
    recorded = (ref.source for ref in models if ref.place == ModelPlace.RECORDED)
    for source in dict.fromkeys((*recorded, given["prompts"])):
        if match := _DATASET.match(source):
            yield match["repo"]
