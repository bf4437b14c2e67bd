"""Reads labels that were published with an SAE: `labels.json` in its folder, or explanations on Neuronpedia."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffing.methods.sae.activation_cache import TextStore
from diffing.models.json_text import UnreadableJsonError, read_json
from diffing.models.remote import TransientError
from diffing.models.surrogates import without_surrogates
from diffing.models.transport import HttpError, get_text

_log = logging.getLogger(__name__)

FILE = "labels.json"
"""The file with labels in an SAE's folder: a JSON object that maps latents' indices to labels."""
NEURONPEDIA = "https://www.neuronpedia.org"
_TIMEOUT = 10.0
_LONGEST = 2_000
"""The largest number of characters of a label."""


@dataclass(frozen=True, slots=True)
class PublishedLabel:
    """A label with its source."""

    label: str
    """What the latent stands for."""
    source: str
    """Where the label was published."""


def labels_of_folder(folder: Path, indices: Sequence[int]) -> dict[int, PublishedLabel]:
    """Reads the labels in an SAE's folder; a damaged file gives no labels and logs a warning."""
    file = folder / FILE
    if not file.is_file():
        return {}
    try:
        labels = json.loads(file.read_text("utf-8"))
        found = {index: labels.get(str(index)) for index in indices}
    except (ValueError, AttributeError, RecursionError) as error:
        _log.warning("%s cannot be read (%s): its labels are left out.", FILE, error)
        return {}
    return {
        index: PublishedLabel(label, FILE) for index, label in found.items() if isinstance(label, str) and label.strip()
    }


def labels_of_neuronpedia(
    neuronpedia: str, indices: Sequence[int], store: TextStore | None, *, url: str = NEURONPEDIA
) -> dict[int, PublishedLabel]:
    """Fetches and caches the first explanation of each latent; if that fails, logs a warning and returns the rest."""
    import httpx2

    keys = {index: f"neuronpedia {neuronpedia}/{index}" for index in indices}
    stored: Mapping[str, str] = store.get_many(list(keys.values())) if store else {}
    found: dict[int, PublishedLabel] = {}
    with httpx2.Client(base_url=url, timeout=_TIMEOUT) as client:
        for index, key in keys.items():
            text = stored.get(key)
            if text is None:
                try:
                    text = _explanation(get_text(client, f"/api/feature/{neuronpedia}/{index}", _TIMEOUT))
                except (httpx2.HTTPError, HttpError, TransientError, UnreadableJsonError) as error:
                    _log.warning("Neuronpedia gives no labels for %s (%s).", neuronpedia, type(error).__name__)
                    return found
                if store:
                    store.put(key, text)
            if text:
                found[index] = PublishedLabel(text, "Neuronpedia")
    return found


def _explanation(body: str) -> str:
    """Returns the first explanation in an answer; empty if there is none.

    Raises:
        UnreadableJsonError: The answer is not JSON.
    """
    answer = read_json(body)
    explanations = answer.get("explanations") if isinstance(answer, Mapping) else None
    for each in explanations if isinstance(explanations, list) else ():
        if isinstance(each, Mapping) and isinstance(described := each.get("description"), str) and described.strip():
            return without_surrogates(described.strip())[:_LONGEST]
    return ""
