"""The check of the judge: its verdicts against what can be measured, where a hypothesis speaks of that."""

from diffing.judge.agreement import compare_with_measurement
from diffing.types import Hypothesis, Judgement, Message, Pair, Prompt, Response, Verdict

EMOJI = Hypothesis("llm-1", "<MODEL> uses emoji more often than <OTHER MODEL>.", "b", "llm", "style", speaks_of="emoji")
VAGUE = Hypothesis("llm-2", "<MODEL> sounds like a friend.", "b", "llm", "style")


def pair(i: int, a: str, b: str) -> Pair:
    prompt = Prompt(f"p{i}", (Message("user", f"Question {i}?"),), "test", "train")
    return Pair(prompt, Response(prompt.id, "a", a, "stop"), Response(prompt.id, "b", b, "stop"))


PAIRS = [pair(i, "It is so.", "It is so. 😊" if i < 8 else "It is so.") for i in range(10)]


def judged(hypothesis: Hypothesis, *verdicts: Verdict) -> list[Judgement]:
    return [Judgement(hypothesis.id, f"p{i}", verdict, "judge") for i, verdict in enumerate(verdicts)]


def test_only_verdicts_that_both_decided_count() -> None:
    """Emoji stand in b's first 8 responses; the judge says A once, nothing twice, and once decides what cannot be."""
    verdicts = [Verdict.A, Verdict.NEITHER, Verdict.UNREADABLE, *[Verdict.B] * 6, Verdict.NEITHER]
    found = compare_with_measurement([EMOJI, VAGUE], judged(EMOJI, *verdicts) + judged(VAGUE, *[Verdict.B] * 10), PAIRS)
    (row,) = found.rows
    assert (row["hypothesis_id"], row["property"]) == ("llm-1", "emoji")
    assert (row["decided_by_both"], row["agreed"]) == (6, 5)
    assert found.notes == (
        "1 judged hypotheses speak of a measured property: judge and measurement agreed on 5 of the 6 verdicts that "
        "both decided (83%).",
    )


def test_where_nothing_can_be_compared_nothing_is_said() -> None:
    assert compare_with_measurement([VAGUE], judged(VAGUE, *[Verdict.B] * 10), PAIRS).notes == ()
    undecided = compare_with_measurement([EMOJI], judged(EMOJI, *[Verdict.NEITHER] * 10), PAIRS)
    assert (undecided.rows[0]["decided_by_both"], undecided.rows[0]["share"], undecided.notes) == (0, None, ())
