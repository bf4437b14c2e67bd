"""The places of a text at which two tokenizers have read the same characters."""

import json
from pathlib import Path
from typing import Any

import pytest

import diffing.demo
from diffing.methods.inside.alignment import TokenPartners, partners, whole_ends
from tests.methods.inside.tiny_pair import merging_tokenizer
from tests.methods.sae.tiny import tokenizer as byte_tokenizer

DEMO = Path(diffing.demo.__file__).parent


def spans(tokenizer: Any, text: str) -> list[tuple[int, int]]:
    """The spans of a text's tokens."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return list(encoded["offset_mapping"])


@pytest.mark.parametrize(
    ("text", "a", "b", "expected"),
    [
        # words against letters
        ("ab cd", [(0, 2), (2, 5)], [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], TokenPartners((0, 1), (1, 4), (2, 5))),
        # tokens that overlap have no partner where the other has not ended
        ("abcd", [(0, 3), (3, 4)], [(0, 1), (1, 4)], TokenPartners((1,), (1,), (4,))),
        # the four bytes of an emoji end at the same character: the last of them has read it
        ("x👍y", [(0, 1), (1, 2), (1, 2), (1, 2), (1, 2), (2, 3)], [(0, 2), (2, 3)],
         TokenPartners((4, 5), (0, 1), (2, 3))),
        # a token that begins in a character and goes on after it: the bytes before it have not read the character
        ("👍yz", [(0, 1), (0, 2), (2, 3)], [(0, 1), (1, 2), (2, 3)], TokenPartners((1, 2), (1, 2), (2, 3))),
        # Chinese words against characters of three bytes
        ("你好", [(0, 2)], [(0, 1), (0, 1), (0, 1), (1, 2), (1, 2), (1, 2)], TokenPartners((0,), (5,), (2,))),
        # a tokenizer that composes é tells the span of e alone
        ("e\u0301!", [(0, 1), (2, 3)], [(0, 1), (1, 2), (2, 3)], TokenPartners((0, 1), (1, 2), (2, 3))),
        # the space that a tokenizer puts before a text reads nothing
        ("ab", [(0, 0), (0, 2)], [(0, 1), (1, 2)], TokenPartners((1,), (1,), (2,))),
        ("", [], [], TokenPartners((), (), ())),
    ],
)  # fmt: skip
def test_partners_end_at_the_same_character(
    text: str, a: list[tuple[int, int]], b: list[tuple[int, int]], expected: TokenPartners
) -> None:
    assert partners(text, a, b) == expected
    assert partners(text, b, a) == TokenPartners(expected.b, expected.a, expected.ends)


@pytest.mark.parametrize(
    "text", ["the 👍 cat", "你好 世界", "cafe\u0301 sat", "\U0001f468\u200d\U0001f469 dog", "x\n\n  y "]
)
def test_real_tokenizers_agree_where_both_have_read_whole_characters(text: str) -> None:
    coarse, fine = merging_tokenizer(), byte_tokenizer()
    found = partners(text, spans(coarse, text), spans(fine, text))
    for own, indices in ((coarse, found.a), (fine, found.b)):
        ids = own(text, add_special_tokens=False).input_ids
        assert [own.decode(ids[: index + 1]) for index in indices] == [text[:end] for end in found.ends]
    assert found.ends == tuple(whole_ends(text, spans(coarse, text)))  # one byte per token has them all


def test_nearly_all_tokens_of_the_coarser_tokenizer_have_a_partner() -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    lines = (DEMO / "prompts.jsonl").read_text("utf-8").splitlines()[:100]
    texts = [str(json.loads(line)["messages"][-1]["content"]) for line in lines]
    other = Tokenizer(models.BPE(unk_token="<unk>"))
    other.normalizer = normalizers.NFC()
    other.pre_tokenizer = pre_tokenizers.Metaspace()
    other.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>"], show_progress=False))
    tokenizers = PreTrainedTokenizerFast(tokenizer_object=other), AutoTokenizer.from_pretrained(DEMO / "models/base")
    found = [(spans(tokenizers[0], text), spans(tokenizers[1], text)) for text in texts]
    shared = sum(len(partners(text, a, b).ends) for text, (a, b) in zip(texts, found, strict=True))
    coarser = min(sum(len(a) for a, _ in found), sum(len(b) for _, b in found))
    assert shared / coarser >= 0.95
