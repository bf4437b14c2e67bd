"""Users, organisations, tokens, and who may do what."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from tests.hub.answers import Refusal
from tests.hub.store import Repository

Role = Literal["read", "write"]


@dataclass
class Account:
    name: str
    kind: Literal["user", "org"]
    members: set[str] = field(default_factory=set)
    """Of an organisation."""

    @property
    def id(self) -> str:
        return object_id("account", self.name)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: nobody (`name` is None) or the holder of a token."""

    name: str | None
    role: Role = "read"


class Accounts:
    def __init__(self) -> None:
        self.all: dict[str, Account] = {}
        self._tokens: dict[str, Visitor] = {}

    def add_user(self, name: str) -> None:
        self.all.setdefault(name, Account(name, "user"))

    def add_org(self, name: str, members: tuple[str, ...]) -> None:
        self.all.setdefault(name, Account(name, "org")).members.update(members)

    def add_token(self, user: str, role: Role) -> str:
        token = "hf_" + hashlib.sha256(f"{user} {role} {len(self._tokens)}".encode()).hexdigest()[:34]
        self._tokens[token] = Visitor(user, role)
        return token

    def revoke(self, token: str) -> None:
        del self._tokens[token]

    def visitor(self, authorization: str) -> Visitor:
        if not authorization:
            return Visitor(None)
        visitor = self._tokens.get(authorization.removeprefix("Bearer "))
        if visitor is None:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return visitor

    def orgs_of(self, name: str) -> list[Account]:
        return [each for each in self.all.values() if each.kind == "org" and name in each.members]

    def belongs(self, visitor: Visitor, namespace: str) -> bool:
        """Whether it is the visitor's own namespace or that of an organisation of theirs."""
        account = self.all.get(namespace)
        return visitor.name is not None and (
            visitor.name == namespace or (account is not None and visitor.name in account.members)
        )

    def check_signed_in(self, visitor: Visitor, *, write: bool = False) -> str:
        """The visitor's name.

        A token with the role read may write nothing, not even a comment."""
        if visitor.name is None:
            raise Refusal(401, "Invalid username or password.")
        if write and visitor.role == "read":
            raise Refusal(403, "This token has the role read: use one with the role write")
        return visitor.name

    def check_may_write(self, visitor: Visitor, namespace: str) -> str:
        name = self.check_signed_in(visitor, write=True)
        if not self.belongs(visitor, namespace):
            raise Refusal(403, f'You don\'t have the rights to write under the namespace "{namespace}"')
        return name

    def check_may_see(self, visitor: Visitor, repo: Repository | None) -> Repository:
        if repo is None or (repo.private and not self.belongs(visitor, repo.owner)):
            raise Refusal(401 if visitor.name is None else 404, "Repository not found", code="RepoNotFound")
        if repo.disabled:
            raise Refusal(403, "Access to this resource is disabled.")
        return repo

    def check_may_download(self, visitor: Visitor, repo: Repository) -> None:
        """Whether the gate, where there is one, is open for them."""
        if not repo.gated or self.belongs(visitor, repo.owner) or visitor.name in repo.granted:
            return
        status = 401 if visitor.name is None else 403
        raise Refusal(status, f"Access to {repo.kind} {repo.id} is restricted: ask for access", code="GatedRepo")


def object_id(*parts: object) -> str:
    """24 hexadecimal digits, as the Hub's database has."""
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:24]
