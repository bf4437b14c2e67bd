"""The Hub as this package needs it: no call hangs, each failure is one clear line, no commit is made twice.

Knows no model, no report and no card.
"""

from diffing.hub.client import (
    TIMEOUT,
    BoundedApi,
    Patience,
    head_of,
    hub_api,
    is_private,
    namespaces,
    read_file,
    user_name,
)
from diffing.hub.commits import commit
from diffing.hub.data_files import check_data_files
from diffing.hub.failures import for_page, hub_errors

__all__ = [
    "TIMEOUT",
    "BoundedApi",
    "Patience",
    "check_data_files",
    "commit",
    "for_page",
    "head_of",
    "hub_api",
    "hub_errors",
    "is_private",
    "namespaces",
    "read_file",
    "user_name",
]
