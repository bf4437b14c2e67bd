"""Where a dataset's card says its files are: within the dataset, or nothing is read.

`datasets` looks for the files that a card names before it refuses those of elsewhere, and says another thing where
there are none: a stranger's card could so ask for the names of this machine's files, and have its network asked.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from huggingface_hub import HfApi

from diffing.errors import HubError
from diffing.hub.client import read_file

_CARD, _STANDALONE = "README.md", ".huggingface.yaml"
_FILES = ("data_files", "data_dir")


def check_data_files(api: HfApi, repo_id: str, sha: str) -> None:
    """Makes sure that a dataset names no files but its own.

    Args:
        api: Acts for whoever wants to read it.
        repo_id: The dataset.
        sha: The commit that will be read.

    Raises:
        HubError: It does, its card cannot be read, or the Hub refuses or cannot be reached.
    """
    for name in (_CARD, _STANDALONE):
        content = read_file(api, repo_id, name, repo_type="dataset", revision=sha)
        configs = _configs(content, name, repo_id)
        for text in _texts([[each.get(key) for key in _FILES] for each in configs if isinstance(each, dict)]):
            if "://" in text or "::" in text or text.startswith(("/", "~", "\\")) or ".." in text.split("/"):
                raise HubError(
                    f"{repo_id} names files of elsewhere ({text!r:.60}): expected files of the dataset itself"
                )


def _configs(content: bytes | None, name: str, repo_id: str) -> Sequence[object]:
    """What the metadata says of configurations, read by the parser that `datasets` uses."""
    import yaml
    from huggingface_hub import DatasetCard

    if content is None:
        return ()
    try:
        text = content.decode()
        found: Any = vars(DatasetCard(text).data) if name == _CARD else yaml.safe_load(text)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, yaml.YAMLError):
        raise HubError(f"The card of {repo_id} has metadata that cannot be read: look at it on the Hub") from None
    configs = found.get("configs") if isinstance(found, dict) else None
    return configs if isinstance(configs, list) else [configs]


def _texts(value: object) -> Iterator[str]:
    """Every text within that names files or a folder."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
