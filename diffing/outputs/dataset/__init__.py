"""Publishes reports as datasets on the Hub, finds published ones, and gathers them in collections."""

from diffing.outputs.dataset.collection import add_to_collections
from diffing.outputs.dataset.dataset_push import PushResult, dataset_files, push_report
from diffing.outputs.dataset.identity import RunIdentity, identity_of, settings_digest
from diffing.outputs.dataset.reproduce import flags_of
from diffing.outputs.dataset.search import NewestDiffs, PublishedDiff, find_published, list_reports, newest_reports
from diffing.outputs.dataset.staleness import outdated_source

__all__ = [
    "NewestDiffs",
    "PublishedDiff",
    "PushResult",
    "RunIdentity",
    "add_to_collections",
    "dataset_files",
    "find_published",
    "flags_of",
    "identity_of",
    "list_reports",
    "newest_reports",
    "outdated_source",
    "push_report",
    "settings_digest",
]
