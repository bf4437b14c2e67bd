"""Labels published with an SAE: `labels.json` in its folder, or explanations at Neuronpedia."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffing.methods.sae.cached import TextStore

_log = logging.getLogger(__name__)

FILE = "labels.json"
"""In an SAE's folder: an object of latents' indices and labels."""
NEURONPEDIA = "https://www.neuronpedia.org"
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Published:
    """A label with where it comes from."""

    label: str
    """What the latent stands for."""
    source: str
    """Who says so."""


def labels_of_folder(folder: Path, indices: Sequence[int]) -> dict[int, Published]:
    """The labels that a folder brings along; damaged files bring none, with a warning."""
    file = folder / FILE
    if not file.is_file():
        return {}
    try:
        labels = json.loads(file.read_text("utf-8"))
        found = {index: labels.get(str(index)) for index in indices}
    except (ValueError, AttributeError) as error:
        _log.warning("%s cannot be read (%s): its labels are left out.", FILE, error)
        return {}
    return {index: Published(label, FILE) for index, label in found.items() if isinstance(label, str) and label.strip()}


def labels_of_neuronpedia(
    neuronpedia: str, indices: Sequence[int], store: TextStore | None, *, url: str = NEURONPEDIA
) -> dict[int, Published]:
    """The first explanation of each latent; what was fetched is kept. Unreachable, it brings none, with a warning."""
    import httpx2

    keys = {index: f"neuronpedia {neuronpedia}/{index}" for index in indices}
    stored: Mapping[str, str] = store.get_many(list(keys.values())) if store else {}
    found: dict[int, Published] = {}
    with httpx2.Client(base_url=url, timeout=_TIMEOUT) as client:
        for index, key in keys.items():
            text = stored.get(key)
            if text is None:
                try:
                    answer = client.get(f"/api/feature/{neuronpedia}/{index}").raise_for_status()
                except httpx2.HTTPError as error:
                    _log.warning("Neuronpedia gives no labels for %s (%s).", neuronpedia, type(error).__name__)
                    return found
                text = _explanation(answer.text)
                if store:
                    store.put(key, text)
            if text:
                found[index] = Published(text, "Neuronpedia")
    return found


def _explanation(body: str) -> str:
    """The first explanation in an answer; empty where there is none."""
    try:
        explanations = json.loads(body).get("explanations") or []
        return next((str(one["description"]).strip() for one in explanations if one.get("description")), "")
    except (ValueError, AttributeError, TypeError):
        return ""
