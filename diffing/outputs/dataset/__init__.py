"""Reports as datasets on the Hub: published, found again, and gathered in collections. Knows no command line."""

from diffing.outputs.dataset.collection import collect
from diffing.outputs.dataset.identity import Identity, identity_of, settings_digest
from diffing.outputs.dataset.push import Pushed, dataset_files, push_report
from diffing.outputs.dataset.reproduce import flags_of
from diffing.outputs.dataset.search import Newest, Published, find_published, list_reports, newest_reports
from diffing.outputs.dataset.staleness import moved

__all__ = [
    "Identity",
    "Newest",
    "Published",
    "Pushed",
    "collect",
    "dataset_files",
    "find_published",
    "flags_of",
    "identity_of",
    "list_reports",
    "moved",
    "newest_reports",
    "push_report",
    "repositories",
    "settings_digest",
]
