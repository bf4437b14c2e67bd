"""Decides which runs count towards the same visitor's quota, by account or network address."""

import ipaddress

from diffing.errors import HubError
from diffing.hub import hub_api, user_name
from diffing.view.caching import cached_per_visitor, token_digest
from diffing.view.runs.run_store import SHARED
from diffing.view.visitor import Visitor

_KEPT_SECONDS = 3600.0
_REFUSED = (401, 403)
_OWN_NETWORK = 64
"""Length of the IPv6 prefix that identifies a network; its users choose the remaining bits themselves."""


class RunOwners:
    """Names the owner of a visitor's runs. It is thread-safe."""

    def __init__(self) -> None:
        self._name_of = cached_per_visitor(_KEPT_SECONDS, lambda token: user_name(hub_api(token)), key=token_digest)

    def of(self, visitor: Visitor) -> str:
        """The visitor's account if they are signed in, otherwise their network address, which several people may share.

        Args:
            visitor: The visitor. If this machine has no quota per account, the Hub is not asked for the account's name.
        """
        token = visitor.token
        if token is None:
            return _at(visitor.address)
        if visitor.rules.per_owner is None:
            return f"token {token_digest(token)}"
        try:
            return f"account {self._name_of(token)}"
        except HubError as error:
            # a visitor could invent any number of tokens that the Hub does not know
            return _at(visitor.address) if error.status in _REFUSED else f"token {token_digest(token)}"


def _at(address: str) -> str:
    """The owner for a network address. All IPv6 addresses of one network count as one owner."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return f"{SHARED}{address}"
    if read.version == 6:
        mapped = read.ipv4_mapped
        return f"{SHARED}{mapped or ipaddress.ip_network((read.packed, _OWN_NETWORK), strict=False)}"
    return f"{SHARED}{read}"
