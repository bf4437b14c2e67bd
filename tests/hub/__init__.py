"""A Hugging Face Hub of our own on loopback, for tests: real HTTP, driven by the stock clients.

Repositories with commits, branches, tags, large files, pull requests and discussions; users, organisations and tokens;
gates, private and disabled repositories; search, webhooks, jobs, collections; rate limits and faults on demand. It does
not speak xet, git or buckets: clients need HF_HUB_DISABLE_XET=1.
"""

from tests.hub.faults import Request
from tests.hub.jobs import Job
from tests.hub.server import LocalHub

__all__ = ["Job", "LocalHub", "Request"]
