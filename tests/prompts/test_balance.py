"""The draw: even over domains in both splits, in hash order; a larger draw contains the smaller one."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from diffing.config import DiffConfig
from diffing.prompts import load_prompts, prompts_from, split_of
from diffing.prompts import split as split_module
from diffing.prompts.prompt_rows import Record
from diffing.prompts.split import Balance, first_records
from diffing.run_prompts import prompts_of
from diffing.types import Message, Prompt


def records(domain: str | None, count: int, first: int = 0) -> list[Record]:
    return [(None, (Message("user", f"{domain} {first + i}"),), domain) for i in range(count)]


MIXED = [*records("law", 400), *records("money", 90), *records("rare", 9), *records(None, 60)]
"""Domains of very different sizes, and prompts without a domain."""


def drawn(prompts: Sequence[Prompt], split: str) -> Counter[str | None]:
    return Counter(prompt.domain for prompt in prompts if prompt.split == split)


def texts(prompts: Sequence[Prompt]) -> set[tuple[str, str]]:
    return {(prompt.split, prompt.text) for prompt in prompts}


@pytest.mark.parametrize(("train", "heldout"), [(4, 2), (30, 15), (62, 31), (100, 50)])
def test_both_splits_are_even_over_domains_until_a_domain_is_exhausted(train: int, heldout: int) -> None:
    there = {split: drawn(prompts_from(MIXED, "all", 2000, 1000), split) for split in ("train", "heldout")}
    got = prompts_from(MIXED, "few", train, heldout)
    for split, size in (("train", train), ("heldout", heldout)):
        counts = drawn(got, split)
        assert counts.total() == size
        most = max(counts.values())
        assert all(counts[domain] >= min(most - 1, there[split][domain]) for domain in ("law", "money", "rare", None))


def test_of_each_domain_the_first_in_hash_order_are_drawn_and_the_order_is_that_of_the_hash() -> None:
    by_hash = prompts_from(MIXED, "all", 2000, 1000)
    got = prompts_from(MIXED, "few", 60, 30)
    taken = {(prompt.split, prompt.text) for prompt in got}
    for split in ("train", "heldout"):
        for domain, count in drawn(got, split).items():
            whole = [prompt.text for prompt in by_hash if (prompt.split, prompt.domain) == (split, domain)]
            assert {text for text in whole if (split, text) in taken} == set(whole[:count])
    assert [prompt.text for prompt in got] == [
        prompt.text for prompt in by_hash if (prompt.split, prompt.text) in taken
    ]


def test_a_larger_draw_contains_the_smaller_one_and_the_order_of_the_records_does_not_matter() -> None:
    few, more, most = (prompts_from(MIXED[::step], "x", 2 * n, n) for n, step in ((10, 1), (25, -1), (80, 1)))
    assert texts(few) < texts(more) < texts(most)


def test_without_balance_the_draw_does_not_regard_domains() -> None:
    plain = [(None, messages, None) for _, messages, _ in MIXED]
    got = prompts_from(MIXED, "x", 40, 20, balance="none")
    assert texts(got) == texts(prompts_from(plain, "x", 40, 20))
    assert drawn(got, "train")["law"] > 20


def test_a_domain_on_every_row_is_as_good_as_none() -> None:
    own = [(None, messages, messages[0].content) for _, messages, _ in MIXED]
    assert texts(prompts_from(own, "x", 40, 20)) == texts(prompts_from(MIXED, "x", 40, 20, balance="none"))


def write(folder: Path, rows: Sequence[Record]) -> str:
    folder.mkdir()
    lines = [json.dumps({"prompt": messages[0].content, "category": domain}) for _, messages, domain in rows]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    return str(folder)


SORTED = [*records("a", 700), *records("b", 700), *records("c", 700)]
"""More rows per domain than a small draw would read if it stopped as soon as it had enough."""


def test_a_dataset_that_is_sorted_by_domain_is_drawn_evenly(tmp_path: Path) -> None:
    got = load_prompts(write(tmp_path / "sorted", SORTED), train=20, heldout=10)
    assert drawn(got, "train") == {"a": 7, "b": 7, "c": 6}
    assert drawn(got, "heldout") == {"a": 4, "b": 3, "c": 3}
    # of each domain the first rows of the dataset
    first = [messages[0].content for _, messages, domain in SORTED if domain == "b"]
    train = [text for text in first if split_of(text, 1 / 3) == "train"]
    assert {prompt.text for prompt in got if (prompt.domain, prompt.split) == ("b", "train")} == set(train[:7])


@pytest.mark.parametrize(("balance", "domains"), [("none", None), ("domains", ["a"])])
def test_a_dataset_is_read_no_further_than_needed(tmp_path: Path, balance: Balance, domains: list[str] | None) -> None:
    got = load_prompts(write(tmp_path / "sorted", SORTED), train=20, heldout=10, balance=balance, domains=domains)
    assert {prompt.domain for prompt in got} == {"a"}


def read_of(rows: Sequence[Record], train: int, heldout: int, balance: Balance = "domains") -> int:
    """How many records a draw takes from a stream."""
    stream = iter(rows)
    first_records(stream, train, heldout, balance=balance)
    return len(rows) - len(list(stream))


def test_how_far_a_stream_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_module, "RECORDS_FOR_DOMAINS", 1500)
    assert read_of(SORTED, 20, 10) == 1500
    assert read_of(SORTED, 20, 10, "none") < 60
    assert read_of(records(None, 600), 20, 10) < 60
    assert read_of(SORTED, 1100, 550) > 1500  # not full before


def test_a_larger_draw_from_a_stream_contains_the_smaller_one() -> None:
    few, more = (first_records(SORTED, 2 * n, n) for n in (11, 40))
    assert {messages for _, messages, _ in few} < {messages for _, messages, _ in more}


def noted(**settings: object) -> tuple[str, ...]:
    config = DiffConfig("org/base", "org/tuned", **settings)  # type: ignore[arg-type]
    return prompts_of(config, (), None).notes  # type: ignore[arg-type]


def test_a_run_says_that_an_even_draw_is_not_the_mix_of_its_source(tmp_path: Path) -> None:
    source = f"{write(tmp_path / 'mixed', MIXED)}/train.jsonl"
    (note,) = noted(prompts=source, train=40, heldout=20)
    assert note == (
        "Prompts were drawn evenly over 4 domains. Overall shares are those of such a mix of prompts, not of the whole "
        "source."
    )
    assert noted(prompts=source, train=40, heldout=20, balance="none") == ()
    assert noted(prompts=source, train=40, heldout=20, domain=("law",)) == ()
    assert noted(prompts=source, train=4000, heldout=2000) == ()  # nothing is left out
    assert noted(train=40, heldout=20) == ()  # the bundled set
