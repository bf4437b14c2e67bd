"""Adds published diffs to Hub collections: one collection per model with all diffs of that model."""

from collections.abc import Sequence

from huggingface_hub import HfApi

from diffing.hub import hub_errors, user_name
from diffing.outputs.phrasing import one_line
from diffing.types import ModelInfo

_TITLE, _DESCRIPTION = 59, 150
"""Maximum number of characters that the Hub accepts for a collection."""


def add_to_collections(api: HfApi, dataset: str, models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """Puts a dataset into the user's collection of each model, and creates missing collections.

    Args:
        api: A Hub client; its token's owner owns the collections.
        dataset: The dataset, `user/name`.
        models: The models that the dataset compares; models that are not on the Hub get no collection.

    Returns:
        The URLs of the collections.

    Raises:
        HubError: The Hub refuses or cannot be reached.
    """
    owner = user_name(api)
    names = dict.fromkeys(name for info in models for name in info.ref.repositories)
    with hub_errors(f"the collections of {owner}", doing="write"):
        return tuple(_collected(api, dataset, owner, name) for name in names)


def _collected(api: HfApi, dataset: str, owner: str, model: str) -> str:
    title = one_line(f"Behavioral differences of {model}", _TITLE)
    about = f"Tested differences of {model}"
    own = (each for each in api.list_collections(owner=owner) if each.title == title)
    found = next((each for each in own if about in (each.description or "")), None)
    made = found or api.create_collection(
        title, namespace=owner, description=one_line(f"{about} from other models.", _DESCRIPTION)
    )
    api.add_collection_item(made.slug, item_id=dataset, item_type="dataset", exists_ok=True)
    return f"{api.endpoint}/collections/{made.slug}"
