"""Collections on the Hub: one per model, with its published diffs."""

from collections.abc import Sequence

from huggingface_hub import HfApi

from diffing.hub import hub_errors, user_name
from diffing.outputs.phrasing import one_line
from diffing.types import ModelInfo

_TITLE, _DESCRIPTION = 59, 150
"""Characters, at most: the Hub takes no more."""


def add_to_collections(api: HfApi, dataset: str, models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """Puts a dataset into the collection of each model; a collection that is not there is made, with the user's others.

    Args:
        api: Acts for whoever owns its token, in whose name the collections are.
        dataset: `user/name`.
        models: What the dataset compares; those that are not on the Hub get none.

    Returns:
        Addresses of the collections.

    Raises:
        HubError: Refused, or out of reach.
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
