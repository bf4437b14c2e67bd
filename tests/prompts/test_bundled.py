"""The bundled set: its versions, domains and kinds, and what its prompts must be like."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from diffing.prompts import load_prompts, split_of
from diffing.prompts.bundled_set import NEWEST, RENAMED, bundled_domains, kind_of, read_bundled
from diffing.types import Prompt

ALL = load_prompts(train=4000, heldout=2000)
NEW = [record for record in read_bundled() if record[0] not in {each[0] for each in read_bundled(version=1)}]
KINDS = {"advice": 5, "borderline": 5, "code": 4, "harmful": 3, "languages": 4, "questions": 4, "self": 4, "writing": 4}
"""The kinds with their numbers of domains."""


def counts(prompts: Sequence[Prompt], split: str) -> Counter[str | None]:
    return Counter(prompt.domain for prompt in prompts if prompt.split == split)


@pytest.mark.parametrize(("train", "heldout", "seed", "size", "digest"), [
    (100, 50, 0, 150, "ac82660c7a03c52cc75d2804d71efcfd4c83e72ceedd1d98ca8154fdea322b01"),
    (100, 50, 1, 150, "3d9074649b27b9c1ad831c84037d9d2cc69d7fc2daee91c3b1fa13e4be178f11"),
    (300, 150, 0, 450, "228cc9f82c38b9f27cb2eafae280452349ea81206762c15d7c6c3e1c069311ed"),
    (1000, 500, 0, 529, "05a44b5f54f465add87eed4a280e09866ab502ab269a3c7956e48756b4f7aa37"),
])  # fmt: skip
def test_version_1_is_drawn_as_it_was_when_it_was_the_only_one(
    train: int, heldout: int, seed: int, size: int, digest: str
) -> None:
    got = load_prompts("bundled@1", train=train, heldout=heldout, seed=seed, balance="none")
    seen = repr([(each.id, each.messages, each.source, each.split, each.domain) for each in got])
    assert (len(got), hashlib.sha256(seen.encode()).hexdigest()) == (size, digest)


def test_a_version_keeps_ids_texts_and_splits_of_the_one_before() -> None:
    earlier = load_prompts("bundled@1", train=4000, heldout=2000)
    assert {(each.id, each.messages, each.split) for each in earlier} < {
        (each.id, each.messages, each.split) for each in ALL
    }
    named = {each.id: each.domain for each in ALL}
    assert {(str(each.domain), named[each.id]) for each in earlier} == set(RENAMED.items())


def test_its_size_and_that_no_prompt_is_a_duplicate_of_another() -> None:
    assert len(ALL) == len(read_bundled()) == len(read_bundled(version=NEWEST)) == 814
    assert len({prompt.id for prompt in ALL}) == len({prompt.text for prompt in ALL}) == 814
    assert (len(read_bundled(version=1)), len(NEW)) == (529, 285)


def test_domains_and_kinds() -> None:
    assert Counter(map(kind_of, bundled_domains())) == KINDS
    # settings with several values are stored joined with ", ", and the draw's words must not be parts of names
    assert all(re.fullmatch(r"[a-z]+: [A-Za-z ]+", domain) for domain in bundled_domains())
    assert not any({"and", "the", "for"} & set(domain.split()) for domain in bundled_domains())


@pytest.mark.parametrize(("domain", "kind"), [
    ("advice: health", "advice"), ("a: b: c", "a"), ("medicine", None), ("", None), (": x", None), ("x: ", None),
    ("at 10:30", None),
])  # fmt: skip
def test_the_kind_is_what_a_name_begins_with(domain: str, kind: str | None) -> None:
    assert kind_of(domain) == kind


def test_domains_and_kinds_choose_prompts() -> None:
    got = load_prompts(domains=["code", "advice: law"])
    assert {prompt.domain for prompt in got} == {
        "code: data", "code: operations", "code: programming", "code: tool calls", "advice: law"
    }  # fmt: skip
    assert {prompt.domain for prompt in load_prompts("bundled@1", domains=["coding"])} == {"coding"}


def test_every_domain_has_enough_prompts_in_both_splits() -> None:
    train, heldout = (counts(ALL, split) for split in ("train", "heldout"))
    assert set(train) == set(heldout) == set(bundled_domains())
    assert min(train.values()) >= 12  # a scope needs 8
    assert min(heldout.values()) >= 7


@pytest.mark.parametrize(("train", "heldout"), [(100, 50), (200, 100), (240, 120)])
def test_draws_are_even_over_domains(train: int, heldout: int) -> None:
    got = load_prompts(train=train, heldout=heldout)
    there = {split: counts(ALL, split) for split in ("train", "heldout")}
    for split, size in (("train", train), ("heldout", heldout)):
        each = counts(got, split)
        assert each.total() == size
        assert all(each[domain] in (size // 33, -(-size // 33)) for domain in there[split])


def test_most_kinds_can_be_counted_in_a_run_of_300_prompts_and_all_in_the_whole_set() -> None:
    got = load_prompts(train=200, heldout=100)
    of_kind = Counter(kind_of(str(prompt.domain)) for prompt in got if prompt.split == "heldout")
    assert sum(count >= 10 for count in of_kind.values()) >= len(KINDS) - 1
    assert min(Counter(kind_of(str(each.domain)) for each in ALL if each.split == "heldout").values()) >= 20


def test_harmful_requests_and_their_harmless_twins_are_in_both_splits() -> None:
    heldout = counts(ALL, "heldout")
    for topic in ("weapons", "cybercrime", "abuse"):
        assert heldout[f"harmful: {topic}"] == heldout[f"borderline: {topic}"] == 7


def test_no_two_prompts_have_nearly_the_same_words() -> None:
    """Compares the 5-character sequences of any two prompts, which also works where no spaces divide words."""
    whole = ["\n".join(message.content for message in prompt.messages) for prompt in ALL]
    last = [prompt.text[:400] for prompt in ALL]
    assert len(set(whole)) == len(whole)
    found = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, dtype=np.int32).fit_transform(last)
    common = (found @ found.T).toarray()
    sizes = common.diagonal()
    overlap = common / (sizes[:, None] + sizes[None, :] - common)
    np.fill_diagonal(overlap, 0)
    nearest = np.unravel_index(overlap.argmax(), overlap.shape)
    assert overlap.max() < 0.36, [last[i] for i in nearest]  # "What do you want?" and "What do you look like?"


def test_the_new_prompts_are_of_many_lengths_and_do_not_begin_alike() -> None:
    texts = [messages[-1].content for _, messages, _ in NEW]
    lengths = sorted(len(text) for text in texts)
    assert lengths[len(texts) // 10] < 70
    assert lengths[-len(texts) // 10] > 220
    assert sum("\n" in text for text in texts) >= 20
    openings = Counter(" ".join(text.casefold().split()[:2]) for text in texts)
    assert openings.most_common(1)[0][1] <= 10
    assert not any(one == other for one, other in pairwise(sorted(texts)))
    assert sum(len(messages) > 1 for _, messages, _ in NEW) >= 15  # under a system prompt


SCRIPTS = {
    "Chinese": (r"[\u4e00-\u9fff]", r"[\u3040-\u30ff]"), "Japanese": (r"[\u3040-\u30ff]", None),
    "Korean": (r"[\uac00-\ud7a3]", None), "Arabic": (r"[\u0627-\u064a]", "[\u067e\u06af\u06cc]"),
    "Hindi": (r"[\u0900-\u097f]", None), "Thai": (r"[\u0e00-\u0e7f]", None), "Russian": (r"[\u0430-\u044f]", None),
    "German": (r"\b(ich|mir|und)\b", None), "French": (r"\b(je|des|et)\b", "\b(und|mir)\b"),
    "Spanish": (r"[¿ñ]|\b(una|los)\b", None),
}  # fmt: skip
"""Languages with what shows them, and what shows another language."""


@pytest.mark.parametrize("language", SCRIPTS)
def test_languages(language: str) -> None:
    shows, other = SCRIPTS[language]
    texts = [prompt.text for prompt in ALL if kind_of(str(prompt.domain)) == "languages"]
    found = [text for text in texts if re.search(shows, text.casefold())]
    found = [text for text in found if other is None or not re.search(other, text)]
    assert len(found) >= 3
    assert {split_of(text, 1 / 3) for text in found} == {"train", "heldout"}
