"""Assigns prompts to the train or held-out split by a hash of their text, which is stable when the set grows."""

import hashlib
import json
import logging
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from diffing.errors import SettingError
from diffing.prompts.rows import Record
from diffing.types import Conversation, Prompt, Split

log = logging.getLogger(__name__)

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
    records: Iterable[Record], source: str, train: int, heldout: int, *, seed: int = 0, exact: bool = False
) -> tuple[Prompt, ...]:
    """The first `train` and the first `heldout` prompts in the order of their hash, train first.

    Args:
        records: The id or None, messages (the last one the user's), and domain or None of each prompt. The first of
            several duplicates is kept.
        source: The value of `Prompt.source`.
        train: Maximum number of train prompts; with `heldout` it also sets the proportion of the splits.
        heldout: Maximum number of held-out prompts.
        seed: The seed of the split.
        exact: Whether only identical texts are duplicates. This suits files that somebody wrote, in which case and
            indentation can matter. Otherwise texts are compared after `fold`, which suits collected data.

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
    # conversations with the same last message have the same hash, so the whole text breaks the tie
    chosen = [sorted(splits["train"])[:train], sorted(splits["heldout"])[:heldout]]
    return tuple(prompt for split in chosen for *_, prompt in split)


def until_full(records: Iterable[Record], train: int, heldout: int, *, seed: int = 0) -> Iterator[Record]:
    """Yields distinct records until both splits are full; records of a split that is full are dropped."""
    share = heldout_share(train, heldout)
    missing: dict[Split, int] = {"train": train, "heldout": heldout}
    for record in _distinct(records, "the dataset", exact=False):
        split = split_of(record[1][-1].content, share, seed)
        if missing[split]:
            missing[split] -= 1
            yield record
        if not any(missing.values()):
            return
    log.warning("the dataset gave %d prompts fewer than requested", sum(missing.values()))


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
