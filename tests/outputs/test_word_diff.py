"""The words in which two responses differ: the longest common subsequence, in bounded time, whatever the texts hold."""

from hypothesis import given
from hypothesis import strategies as st

from diffing.outputs.examples import excerpt
from diffing.outputs.word_diff import MOST_WORDS, excerpt_pieces, excerpts_diff, word_diff
from diffing.types import Response

WORDS = st.lists(st.sampled_from("abcd"), max_size=9)


def lacking(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    """The text without the passages that only it has."""
    kept, at = "", 0
    for low, high in spans:
        kept, at = kept + text[at:low], high
    return kept + text[at:]


def longest(a: list[str], b: list[str]) -> int:
    """The length of the longest common subsequence, by its definition."""
    if not a or not b:
        return 0
    if a[-1] == b[-1]:
        return longest(a[:-1], b[:-1]) + 1
    return max(longest(a[:-1], b), longest(a, b[:-1]))


@given(WORDS, WORDS)
def test_what_is_left_is_the_longest_that_both_have(a: list[str], b: list[str]) -> None:
    found = word_diff(" ".join(a), " ".join(b))
    left_a, left_b = lacking(" ".join(a), found.a).split(), lacking(" ".join(b), found.b).split()
    assert left_a == left_b
    assert len(left_a) == longest(a, b)
    assert found.whole


def test_passages_are_words_in_a_row_and_letter_case_counts() -> None:
    a, b = "Hi there!  Stay away\nfrom sugar, please.", "stay far from sugar, please!"
    found = word_diff(a, b)
    assert [a[slice(*span)] for span in found.a] == ["Hi there!  Stay away", "."]
    assert [b[slice(*span)] for span in found.b] == ["stay far", "!"]
    japanese = word_diff("私は猫が好きです", "私は犬が好きです")
    assert (japanese.a, japanese.b) == (((2, 3),), ((2, 3),)), "signs of scripts without spaces are words of their own"
    assert word_diff("the same 👍", "the  same\n👍") == word_diff("", "")


def test_long_texts_are_compared_at_their_beginning_only() -> None:
    a, b = "a b " * 5_000, "b a " * 5_000
    found = word_diff(a, b)
    assert not found.whole
    assert (found.a[0], found.b[-1]) == ((0, 1), (2 * MOST_WORDS - 2, 2 * MOST_WORDS - 1))
    assert not word_diff("x" * 30_000, "y").whole


@given(st.text(alphabet="ab. ", max_size=40), st.text(alphabet="ab. ", max_size=40), st.integers(1, 50), st.data())
def test_pieces_make_the_excerpt_and_each_keeps_its_mark(a: str, b: str, most: int, data: st.DataObject) -> None:
    low = data.draw(st.integers(0, len(a)))
    shown = [(low, data.draw(st.integers(low, len(a))))]
    cut = excerpt(Response("p", "m", a, "stop", 0, None, 1, 1), (), most, shown)
    spans = word_diff(a, b).a
    whole = excerpt(Response("p", "m", b, "stop", 0, None, 1, 1), (), 99)
    assert excerpts_diff(cut, whole).a == word_diff(a[: len(a) - cut.after], b).a
    assert excerpts_diff(cut, whole).whole == (cut.after == 0)
    pieces = excerpt_pieces(cut, spans)
    assert [("".join(text for text, _ in parts), marked) for marked, parts in pieces] == list(cut.pieces)
    at = cut.before
    for _, parts in pieces:
        for text, only_here in parts:
            inside = [any(first <= place < last for first, last in spans) for place in range(at, at + len(text))]
            assert inside == [only_here] * len(text)
            at += len(text)
