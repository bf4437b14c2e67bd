"""Whose runs are counted together, so that nobody fills the line: by nothing that a visitor can choose anew."""

import ipaddress

from diffing.errors import HubError
from diffing.hub import hub_api, user_name
from diffing.view.caching import asker, kept
from diffing.view.runs.run_store import SHARED
from diffing.view.visitor import Visitor

_KEPT_SECONDS = 3600.0
_REFUSED = (401, 403)
_OWN_NETWORK = 64
"""Bits of an IPv6 address that its user cannot choose."""


class Owners:
    """Names the owner of a visitor's runs. Threads may share it."""

    def __init__(self) -> None:
        self._name_of = kept(_KEPT_SECONDS, lambda token: user_name(hub_api(token)), key=asker)

    def of(self, visitor: Visitor) -> str:
        """The account, however often it signs in; of others the address, which several people may share.

        Args:
            visitor: Who asks. Where nobody's runs are counted, the Hub is not asked for the account.
        """
        token = visitor.token
        if token is None:
            return _at(visitor.address)
        if visitor.rules.per_owner is None:
            return f"token {asker(token)}"
        try:
            return f"account {self._name_of(token)}"
        except HubError as error:
            # a token that the Hub does not know could be anything
            return _at(visitor.address) if error.status in _REFUSED else f"token {asker(token)}"


def _at(address: str) -> str:
    """An address of IPv6 counts with all others of its network."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return f"{SHARED}{address}"
    if read.version == 6:
        mapped = read.ipv4_mapped
        return f"{SHARED}{mapped or ipaddress.ip_network((read.packed, _OWN_NETWORK), strict=False)}"
    return f"{SHARED}{read}"
