"""Assigns prompts to the train or held-out split by a hash of their text, which is stable when the set grows."""

import hashlib
import json
import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeAlias, TypeVar

from diffing.errors import SettingError
from diffing.prompts.prompt_rows import Record
from diffing.types import Conversation, Prompt, Split

log = logging.getLogger(__name__)

T = TypeVar("T")
Balance: TypeAlias = Literal["domains", "none"]
"""Whether each split takes as many prompts of each domain as of any other, or the first ones regardless of domain."""
RECORDS_FOR_DOMAINS = 20_000
"""Number of records of a dataset with domains from which prompts are drawn, since its rows may be sorted by domain."""
HASHES = 2**256
"""The number of values of SHA-256."""


def fold(text: str) -> str:
    """Normalises case, white space and Unicode composition; prompts with the same result count as duplicates."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def split_of(text: str, heldout_share: float, seed: int = 0) -> Split:
    """The split of a prompt.

    Args:
        text: Its last user message; texts that are equal after `fold` are always in the same split.
        heldout_share: The share of held-out prompts, 0 to 1.
        seed: The seed of the split.
    """
    return "heldout" if _place(text, seed) < heldout_share else "train"


def prompts_from(
    records: Iterable[Record],
    source: str,
    train: int,
    heldout: int,
    *,
    seed: int = 0,
    exact: bool = False,
    balance: Balance = "domains",
) -> tuple[Prompt, ...]:
    """Draws `train` and `heldout` prompts; returns train prompts first, each split in the order of the prompts' hash.

    Each split draws evenly over domains: in rounds, each of which takes from every domain the next prompt in hash
    order. Prompts without a domain count as one more domain. So no domain has two prompts more than another, unless the
    other has no more to give; and a larger draw in the same proportion contains the smaller one.

    Args:
        records: The id or None, messages (the last one the user's), and domain or None of each prompt. The first of
            several duplicates is kept.
        source: The value of `Prompt.source`.
        train: Maximum number of train prompts; with `heldout` it also sets the proportion of the splits.
        heldout: Maximum number of held-out prompts.
        seed: The seed of the split.
        exact: Whether only identical texts are duplicates. This suits files that somebody wrote, in which case and
            indentation can matter. Otherwise texts are compared after `fold`, which suits collected data.
        balance: `none` draws the first prompts in hash order, regardless of their domains.

    Raises:
        SettingError: A number is below 1, there are no prompts, a split is empty, or two texts have the same id.
    """
    share = heldout_share(train, heldout)
    splits: dict[Split, list[tuple[float, str, str, Prompt]]] = {"train": [], "heldout": []}
    folds: set[str] = set()
    for given_id, messages, domain in _distinct(records, source, exact=exact):
        folded, whole = _fold_conversation(messages), _whole(messages)
        split = split_of(messages[-1].content, share, seed)
        named = whole if folded in folds else folded
        folds.add(folded)
        prompt = Prompt(
            id=given_id or hashlib.sha256(named.encode()).hexdigest()[:12],
            messages=messages,
            source=source,
            split=split,
            domain=domain,
        )
        splits[split].append((_place(messages[-1].content, seed), folded, whole, prompt))
    _check_filled(splits["train"], splits["heldout"], source)
    return (*_drawn(splits["train"], train, balance), *_drawn(splits["heldout"], heldout, balance))


def _drawn(entries: list[tuple[float, str, str, Prompt]], size: int, balance: Balance) -> list[Prompt]:
    """Draws prompts of one split; an entry is a prompt with its hash, its folded and its whole text."""
    by_hash = sorted(entries)  # conversations with the same last message have the same hash: their text breaks the tie
    first = _in_rounds(by_hash, lambda entry: entry[-1].domain) if balance == "domains" else by_hash
    return [prompt for *_, prompt in sorted(first[:size])]


def first_records(
    records: Iterable[Record], train: int, heldout: int, *, seed: int = 0, balance: Balance = "domains"
) -> list[Record]:
    """Draws the records of `train` and `heldout` prompts from a stream, the first ones in the stream's order.

    Reading ends when both splits are full. If records have domains and the draw is to be even over them, reading goes
    on to `RECORDS_FOR_DOMAINS` distinct records, and each split takes the next record of every domain in rounds.

    Args:
        records: The records in the stream's order.
        train: Maximum number of train prompts.
        heldout: Maximum number of held-out prompts.
        seed: The seed of the split.
        balance: `none` ends reading as soon as both splits are full, whatever the domains.
    """
    share = heldout_share(train, heldout)
    sizes: dict[Split, int] = {"train": train, "heldout": heldout}
    kept: dict[Split, list[Record]] = {"train": [], "heldout": []}
    of_domain: Counter[tuple[Split, str | None]] = Counter()
    spread = False
    for number, record in enumerate(_distinct(records, "the dataset", exact=False), start=1):
        split = split_of(record[1][-1].content, share, seed)
        domain = record[2] if balance == "domains" else None
        spread = spread or domain is not None
        if of_domain[split, domain] < sizes[split]:
            of_domain[split, domain] += 1
            kept[split].append(record)
        full = all(len(kept[name]) >= size for name, size in sizes.items())
        if full and (not spread or number >= RECORDS_FOR_DOMAINS):
            break
    if missing := sum(max(size - len(kept[name]), 0) for name, size in sizes.items()):
        log.warning("the dataset gave %d prompts fewer than requested", missing)
    if balance == "domains":
        kept = {name: _in_rounds(each, lambda record: record[2]) for name, each in kept.items()}
    return [record for name, size in sizes.items() for record in kept[name][:size]]


def _in_rounds(items: Sequence[T], domain_of: Callable[[T], str | None]) -> list[T]:
    """Orders items in rounds: the first item of each domain, then the second of each; each round in the given order."""
    seen: Counter[str | None] = Counter()
    rounds = []
    for item in items:
        rounds.append(seen[domain_of(item)])
        seen[domain_of(item)] += 1
    return [items[i] for i in sorted(range(len(items)), key=rounds.__getitem__)]


def heldout_share(train: int, heldout: int) -> float:
    """The share of prompts that are held out.

    Raises:
        SettingError: One of the numbers is below 1.
    """
    if train < 1:
        raise SettingError(f"expected at least 1 train prompt, got {train}: differences are found on train prompts")
    if heldout < 1:
        raise SettingError(f"expected at least 1 held-out prompt, got {heldout}: they test what train prompts suggest")
    return heldout / (train + heldout)


def _place(text: str, seed: int) -> float:
    """The hash of a text as a number between 0 and 1."""
    digest = hashlib.sha256(f"{seed}\n{fold(text)}".encode()).digest()
    return int.from_bytes(digest) / HASHES


def _fold_conversation(messages: Conversation) -> str:
    """The folded text by which duplicate conversations are recognised; for a single message, its folded text."""
    if len(messages) == 1:
        return fold(messages[0].content)
    return "\n".join(f"{message.role}: {fold(message.content)}" for message in messages)


def _whole(messages: Conversation) -> str:
    """The exact text of a conversation."""
    return json.dumps([(message.role, message.content) for message in messages], ensure_ascii=False)


def _distinct(records: Iterable[Record], source: str, *, exact: bool) -> Iterator[Record]:
    """Yields the first of several duplicate conversations; refuses two conversations with the same id."""
    seen: set[str] = set()
    by_id: dict[str, str] = {}
    duplicates = 0
    for record in records:
        given_id, messages, _ = record
        same = _whole(messages) if exact else _fold_conversation(messages)
        if given_id is not None and by_id.setdefault(given_id, same) != same:
            raise SettingError(f"{source}: expected unique ids, got {given_id!r} for two prompts; rename one")
        if same in seen:
            duplicates += 1
            continue
        seen.add(same)
        yield record
    if duplicates:
        log.info("%s: %d duplicate prompts left out", source, duplicates)


def _check_filled(train: Sequence[object], heldout: Sequence[object], source: str) -> None:
    """Refuses an empty split.

    Raises:
        SettingError: A split is empty.
    """
    total = len(train) + len(heldout)
    if not total:
        raise SettingError(f"{source}: expected prompts, got none; check the file, the language and the domains")
    for name, split in (("train", train), ("held-out", heldout)):
        if not split:
            raise SettingError(
                f"{source}: expected at least 1 {name} prompt, got 0 of {total} prompts; "
                "give more prompts or change the proportion of train and held-out"
            )
