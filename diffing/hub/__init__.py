"""Access to the Hugging Face Hub: calls with timeouts, one-line error messages, and commits that are made only once."""

from diffing.hub.client import (
    TIMEOUT,
    BoundedApi,
    Patience,
    find_repository,
    head_of,
    hub_api,
    is_private,
    namespaces,
    read_file,
    user_name,
)
from diffing.hub.commits import commit
from diffing.hub.data_files import check_data_files
from diffing.hub.hub_errors import for_page, hub_errors
from diffing.hub.limits import MOST_CARD
from diffing.hub.metadata import MetadataError, front_matter, metadata_of, pairs_in, read_yaml

__all__ = [
    "MOST_CARD",
    "TIMEOUT",
    "BoundedApi",
    "MetadataError",
    "Patience",
    "check_data_files",
    "commit",
    "find_repository",
    "for_page",
    "front_matter",
    "head_of",
    "hub_api",
    "hub_errors",
    "is_private",
    "metadata_of",
    "namespaces",
    "pairs_in",
    "read_file",
    "read_yaml",
    "user_name",
]
