"""Deletes the downloaded weights of an annotated model after its diff, so that they do not fill the disk."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_log = logging.getLogger(__name__)


@contextmanager
def only_while_needed(repository: str) -> Iterator[None]:
    """Deletes the revisions of a repository that were downloaded within the block; earlier ones stay.

    Otherwise a service that runs for months would fill its disk with old revisions. After an error everything stays,
    for the next try.

    Args:
        repository: The model, `org/name`.
    """
    before = _revisions(repository)
    yield
    after = _revisions(repository)
    if gone := after - before:
        from huggingface_hub import scan_cache_dir

        freed = scan_cache_dir().delete_revisions(*sorted(gone))
        freed.execute()
        _log.info("%s: deleted %s of downloads", repository, freed.expected_freed_size_str)


def _revisions(repository: str) -> set[str]:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "snapshots"
    return {each.name for each in folder.iterdir()} if folder.is_dir() else set()
