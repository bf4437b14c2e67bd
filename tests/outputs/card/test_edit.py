"""A section changes nothing of a card but itself."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from diffing.errors import SettingError
from diffing.outputs.card.edit import edit
from diffing.outputs.card.markers import unified
from tests.outputs.card.corpus import BEGIN, BODY, CORPUS, EDITED, END, NEW, OLD, YAML, Case
from tests.outputs.card.reading import has_section, opted_out

WRITTEN = {name: case for name, case in CORPUS.items() if case.refused is None}
REFUSED = {name: case for name, case in CORPUS.items() if case.refused is not None}


@pytest.mark.parametrize("case", WRITTEN.values(), ids=WRITTEN.keys())
def test_outside_the_section_nothing_changes(case: Case) -> None:
    after = edit(case.card, NEW)
    if not case.replaced:
        added = after.removeprefix(case.card)
        assert after.startswith(case.card)
        assert unified(added.decode()).strip("\n") == NEW
        assert unified(added.decode()).endswith(END + "\n")
        return
    start = case.card.rindex(BEGIN.encode())
    end = case.card.index(END.encode(), start) + len(END)
    tail = case.card[end:].lstrip(b" ")
    assert after.startswith(case.card[:start])
    assert after.endswith(tail)
    assert unified(after[start : len(after) - len(tail)].decode()) == NEW


@pytest.mark.parametrize("case", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_second_run_changes_nothing(case: Case) -> None:
    once = edit(case.card, NEW)
    assert edit(once, NEW) == once
    assert has_section(once)
    # and a later comparison takes its place, from where there is a way back
    assert edit(edit(once, OLD), NEW) == once


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_ambiguity_is_refused_with_the_reason(case: Case) -> None:
    with pytest.raises(SettingError, match=case.refused) as refused:
        edit(case.card, NEW)
    assert "othing was written" in str(refused.value) or "nothing was written" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 40
    assert max(len(case.card) for case in CORPUS.values()) > 300_000


def test_line_endings_are_the_cards() -> None:
    card = (YAML + BODY).replace("\n", "\r\n").encode()
    after = edit(card, NEW)
    assert after.count(b"\r\n") == after.count(b"\n")
    mixed = b"one\r\ntwo\r\nthree\n"
    assert edit(mixed, NEW).removeprefix(mixed).count(b"\r\n") == NEW.count("\n") + 2
    # as a tool would convert the whole card: no edit by hand, and nothing to do
    converted = edit(BODY.encode(), NEW).replace(b"\n", b"\r\n")
    assert edit(converted, NEW) == converted


def test_a_refusal_names_the_line_of_the_file() -> None:
    with pytest.raises(SettingError, match=r"from line 8\)"):
        edit(f"{YAML}# Tern\n\n{EDITED}\n".encode(), NEW)
    with pytest.raises(SettingError, match=r"line 6, 8\) are ambiguous"):
        edit(f"{YAML}{END}\n\n{BEGIN}\n".encode(), NEW)


def test_a_section_is_a_section_of_its_own_for_readers() -> None:
    for name, case in WRITTEN.items():
        if "collapsed" in name or case.replaced or "YAML never" in name:
            continue
        html = MarkdownIt("commonmark").render(edit(case.card, NEW).decode())
        assert "<h2>Behavioral differences</h2>" in html, name
        assert html.rstrip().endswith(f"<p>This model is verbose.</p>\n{END}"), name


def test_opting_out_is_said_in_the_card_not_in_its_examples() -> None:
    assert opted_out(b"<!-- model-diff: off -->")
    assert not opted_out(b"`<!-- model-diff: off -->`\n\n```\n<!-- model-diff: off -->\n```\n")


FRAGMENTS = st.sampled_from(
    [
        *("---", "```", "~~~", "````md", "    ", "> ", "- ", "1. ", "# T", "<div>", "</div>", "<!--", "-->", "<pre>"),
        *("text", "`", "|a|b|", "\t", "[x]: y", "é🦜", "\ufeff", "\0", "\u2028", "license: mit", "***", "<details>"),
        *("<!-- model-diff: off -->", BEGIN, END, OLD, f"`{BEGIN}`", "model-diff:begin"),
    ]
)
ENDINGS = st.sampled_from(["\n", "\r\n", "\r", "", "\n\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(FRAGMENTS, ENDINGS), max_size=12))
@example([(OLD, ""), ("\u2028", "\n")])
def test_any_card_keeps_what_is_outside(pieces: list[tuple[str, str]]) -> None:
    card = "".join(fragment + ending for fragment, ending in pieces).encode()
    try:
        once = edit(card, NEW)
    except SettingError:
        return
    assert edit(once, NEW) == once
    assert not opted_out(once)
    if has_section(card):
        before, after = unified(card.decode()), unified(once.decode())
        places = [at for at in range(len(before)) if before.startswith(OLD.split("\n")[0], at)]
        assert any(after == before[:at] + NEW + rest for at in places for rest in _rests(before[at:]))
    else:
        assert once.startswith(card)
        assert unified(once.removeprefix(card).decode()).strip("\n") == NEW


def _rests(text: str) -> list[str]:
    """What may follow a section that begins a text, the blanks after its end taken off."""
    return [part.lstrip(" \t") for part in [text.partition(END)[2]]]
