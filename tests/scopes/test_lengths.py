"""Where a model writes longer responses, it has more of everything: that is no difference within the scope."""

import random

from diffing import metrics
from diffing.evaluation import findings_of
from diffing.methods.lexical import LexicalMethod
from diffing.outputs.phrasing import measured_by
from diffing.scopes import find_scoped
from diffing.types import Finding, Message, Pair, Prompt, PropertyMeasure, Response

WORDS = "may you! because however 5 please why? it is so and then the old man went home again to his".split()
COUNTED = {"hedges", "exclamation_marks", "question_marks", "reasons", "contrasts", "numbers", "politeness",
           "second_person"}  # fmt: skip


def confirmed(asking: bool) -> list[Finding]:
    """Model A writes five times as much about medicine; there it may also ask more questions."""
    draw = random.Random(7)
    pairs = []
    for number in range(360):
        domain = ("medicine", "travel", "cooking", "money")[number % 4]
        prompt = Prompt(
            f"p{number}", (Message("user", "Go on."),), "test", "train" if number % 3 else "heldout", domain
        )
        lengths = (60 if domain == "medicine" else 12, 12)
        texts = [" ".join(draw.choices(WORDS, k=size)) for size in lengths]
        if asking and domain == "medicine":
            texts[0] += " And why? " * 9
        pairs.append(
            Pair(prompt, *(Response(prompt.id, side, text, "stop") for side, text in zip("ab", texts, strict=True)))
        )
    method = LexicalMethod()
    discovery = method.find_hypotheses([pair for pair in pairs if pair.prompt.split == "train"])
    measured = method.measure(discovery.hypotheses, pairs)
    scopes = find_scoped([method], [discovery], measured, pairs)
    found = findings_of(
        (*discovery.hypotheses, *scopes.hypotheses), [*measured, *scopes.judgements], pairs, {}, metrics.ALPHA, scopes
    )
    return [each for each in found if each.confirmed]


def test_length_alone_confirms_no_counted_sign_within_a_scope() -> None:
    findings = confirmed(asking=False)
    names = {measured_by(each.hypothesis.measure) for each in findings if each.hypothesis.measure}
    assert "words" in names
    assert names.isdisjoint(COUNTED)


def test_more_than_length_brings_is_confirmed_within_its_scope() -> None:
    asks = PropertyMeasure("question_marks")
    (finding,) = [each for each in confirmed(asking=True) if each.hypothesis.measure == asks]
    where = finding.hypothesis.scope or (finding.concentration and finding.concentration.scope)
    assert where
    assert where.words == "when asked about medicine"
