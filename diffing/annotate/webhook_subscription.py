"""Registers the webhook by which the Hub notifies the service of pushes, or adds models to an existing one."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from huggingface_hub import HfApi

from diffing.annotate.app import ROUTE
from diffing.annotate.webhook_payload import is_repository
from diffing.errors import SettingError
from diffing.hub import hub_errors

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A registered webhook."""

    url: str
    """URL to which the Hub sends its requests."""
    watched: tuple[str, ...]
    """The models whose pushes it reports."""
    created: bool
    """Whether the webhook is new."""


def subscribe(api: HfApi, models: Sequence[str], url: str | None, secret: str) -> Subscription:
    """Registers models for the service's webhook; an existing webhook with the same URL is extended.

    Args:
        api: A Hub client for the account that owns the webhook.
        models: The models, each `org/name`.
        url: URL of the service; None for that of the Space (SPACE_HOST).
        secret: The secret that the Hub sends with each request.

    Raises:
        SettingError: A name or the URL is invalid.
        HubError: The Hub refuses or cannot be reached.
    """
    for name in models:
        if not is_repository(name):
            raise SettingError(f"--watch is {name!r}: expected org/name")
    address = address_of(url)
    added = [{"type": "model", "name": name} for name in models]
    with hub_errors("your webhooks", doing="write"):
        known = next((each for each in api.list_webhooks() if each.url == address), None)
        if known is None:
            webhook = api.create_webhook(url=address, watched=list(added), domains=["repo"], secret=secret)
        else:
            kept = [{"type": item.type, "name": item.name} for item in known.watched]
            watched = kept + [item for item in added if item not in kept]
            webhook = api.update_webhook(known.id, url=address, watched=list(watched), domains=["repo"], secret=secret)
            if known.disabled:
                webhook = api.enable_webhook(known.id)
    names = tuple(item.name for item in webhook.watched)
    return Subscription(address, names, created=known is None)


def address_of(url: str | None) -> str:
    """Returns the full URL to which the Hub sends its requests.

    Raises:
        SettingError: There is no URL, or sending a secret to it would not be safe.
    """
    if url is None:
        host = os.environ.get("SPACE_HOST")
        if not host:
            raise SettingError("--watch needs the URL of the service: give --url https://user-space.hf.space")
        url = f"https://{host}"
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (safe and parts.hostname):
        raise SettingError("--url cannot be used: expected https://..., since the webhook's secret is sent to it")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingError("--url cannot be used: expected https://host/path without user, password or query")
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or ROUTE}"
