"""Checks that the card of a Hub dataset names only files of that dataset, before the dataset is loaded.

The `datasets` library looks for the files that a card names before it refuses files from elsewhere, and its message
differs if there are none. A stranger's card could thus probe for files on this machine or make it contact other hosts.
"""

from collections.abc import Iterator, Sequence

from huggingface_hub import HfApi

from diffing.errors import HubError
from diffing.hub.client import read_file
from diffing.hub.metadata import MetadataError, front_matter, read_yaml

_CARD, _STANDALONE = "README.md", ".huggingface.yaml"
_FILES = ("data_files", "data_dir")


def check_data_files(api: HfApi, repo_id: str, sha: str) -> None:
    """Refuses a dataset whose metadata names files outside the dataset.

    Args:
        api: The client, signed in as the reader.
        repo_id: The dataset.
        sha: The commit that will be read.

    Raises:
        HubError: The dataset names other files, its card cannot be read, or the Hub refuses or cannot be reached.
    """
    for name in (_CARD, _STANDALONE):
        content = read_file(api, repo_id, name, repo_type="dataset", revision=sha)
        configs = _configs(content, name, repo_id)
        for text in _texts([[each.get(key) for key in _FILES] for each in configs if isinstance(each, dict)]):
            if "://" in text or "::" in text or text.startswith(("/", "~", "\\")) or ".." in text.split("/"):
                raise HubError(
                    f"{repo_id} names files outside the dataset ({text!r:.60}): expected files of the dataset itself"
                )


def _configs(content: bytes | None, name: str, repo_id: str) -> Sequence[object]:
    """The `configs` entry of the metadata that `datasets` reads, as a list."""
    if content is None:
        return ()
    try:
        text = content.decode()
        if name == _CARD:
            block = front_matter(text)
            text = block.yaml if block else ""
        metadata = read_yaml(text)
    except UnicodeDecodeError:
        raise HubError(f"The card of {repo_id} is not in UTF-8: look at it on the Hub") from None
    except MetadataError as error:
        raise HubError(
            f"The card of {repo_id} has metadata that cannot be read ({error}): look at it on the Hub"
        ) from None
    configs = metadata.get("configs") if isinstance(metadata, dict) else None
    return configs if isinstance(configs, list) else [configs]


def _texts(value: object) -> Iterator[str]:
    """Every text within a nested value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
