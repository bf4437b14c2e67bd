"""The split: by a hash of the folded text, stable when the set grows, duplicates never on both sides."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffing.errors import SettingError
from diffing.prompts import fold, prompts_from, split_of
from diffing.prompts.prompt_rows import Record
from diffing.types import Message, Prompt


def records(*texts: str) -> list[Record]:
    return [(None, (Message("user", text),), None) for text in texts]


def ids(prompts: tuple[Prompt, ...], split: str) -> list[str]:
    return [prompt.id for prompt in prompts if prompt.split == split]


MANY = records(*(f"Prompt number {i}" for i in range(600)))


def test_the_share_held_out_is_the_one_asked_for() -> None:
    got = prompts_from(MANY, "test", 2000, 1000)
    assert len(got) == 600
    assert 160 <= len(ids(got, "heldout")) <= 240
    assert [prompt.split for prompt in got] == ["train"] * len(ids(got, "train")) + ["heldout"] * len(
        ids(got, "heldout")
    )
    assert {prompt.source for prompt in got} == {"test"}
    assert all(re.fullmatch("[0-9a-f]{12}", prompt.id) for prompt in got)


def test_asking_for_more_only_adds_and_the_order_of_the_records_does_not_matter() -> None:
    few = prompts_from(MANY, "test", 20, 10)
    more = prompts_from(MANY[::-1], "test", 100, 50)
    assert (len(few), len(more)) == (30, 150)
    for split in ("train", "heldout"):
        assert ids(more, split)[: len(ids(few, split))] == ids(few, split)


def test_a_growing_set_moves_no_prompt_to_the_other_split() -> None:
    before = {prompt.id: prompt.split for prompt in prompts_from(MANY[:100], "test", 200, 100)}
    after = {prompt.id: prompt.split for prompt in prompts_from(MANY, "test", 2000, 1000)}
    assert before.items() <= after.items()


@given(
    st.text(min_size=1, max_size=60),
    st.sampled_from([str.upper, str.title, lambda text: f"  {text}\n", lambda text: text]),
)
def test_texts_that_differ_in_case_and_space_share_their_split(text: str, change: object) -> None:
    other = change(text)  # type: ignore[operator]
    if fold(other) == fold(text):
        assert split_of(other, 0.5) == split_of(text, 0.5)


def test_duplicates_are_left_out_after_folding() -> None:
    got = prompts_from([*MANY, *records("PROMPT  number 7", " prompt\tNUMBER 8 ")], "test", 2000, 1000)
    assert len(got) == 600


def test_the_seed_gives_another_split() -> None:
    assert ids(prompts_from(MANY, "test", 200, 100), "train") != ids(
        prompts_from(MANY, "test", 200, 100, seed=1), "train"
    )


def test_conversations_that_end_alike_are_different_prompts_in_one_split() -> None:
    conversations = [
        (None, (Message("user", f"Tell me of {name}"), Message("assistant", "Yes?"), Message("user", "Go on")), None)
        for name in ("cats", "dogs")
    ]
    got = prompts_from([*MANY, *conversations], "test", 2000, 1000)
    ends = [prompt for prompt in got if prompt.text == "Go on"]
    assert len(ends) == 2
    assert len({prompt.split for prompt in ends}) == 1


def test_given_ids_and_domains_are_kept() -> None:
    got = prompts_from([(f"id{i}", (Message("user", f"Text {i}"),), "law") for i in range(30)], "test", 10, 10)
    assert {prompt.domain for prompt in got} == {"law"}
    assert all(prompt.id == f"id{prompt.text.split()[1]}" for prompt in got)


@pytest.mark.parametrize(("given_records", "train", "heldout", "message"), [
    (MANY, 10, 0, "expected at least 1 held-out prompt, got 0"),
    (MANY, 0, 10, "expected at least 1 train prompt, got 0"),
    ([], 10, 5, "file: expected prompts, got none"),
    (records("one"), 10**6, 1, "file: expected at least 1 held-out prompt, got 0 of 1 prompts; give more"),
    (records("one"), 1, 10**6, "file: expected at least 1 train prompt, got 0 of 1 prompts"),
    ([("x", (Message("user", "one"),), None), ("x", (Message("user", "two"),), None)], 2, 1, "got 'x' for two prompts"),
])  # fmt: skip
def test_what_cannot_be_tested_is_refused(given_records: list[Record], train: int, heldout: int, message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)) as caught:
        prompts_from(given_records, "file", train, heldout)
    assert "\n" not in str(caught.value)


def test_one_id_for_the_same_text_twice_is_a_duplicate() -> None:
    twice = [("x", (Message("user", "one"),), None), ("x", (Message("user", "ONE"),), None)]
    assert len(prompts_from([*twice, *MANY], "test", 2000, 1000)) == 601
