"""Planted truth: which findings share a line as signs of one behaviour, what a line shows, and what is folded."""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from diffing import metrics
from diffing.estimates import Concentration
from diffing.grouping import BehaviourGroups, group_by_behaviour, merge
from diffing.grouping.phrase_use import phrase_use
from diffing.grouping.verdict_relations import VerdictRelations
from diffing.methods.lexical import LexicalMethod
from diffing.scope import Scope, ScopeRule, Term
from diffing.types import (
    Block,
    Finding,
    Hypothesis,
    Judgement,
    LatentMeasure,
    Measure,
    Message,
    Pair,
    PhraseMeasure,
    Prompt,
    PropertyMeasure,
    Response,
    Side,
    Split,
    Verdict,
    other_side,
)

N = 100
PLAIN = "It is so."
Says = Callable[[int], int]
"""The verdict on the i-th pair of each split: 1 for the predicted side, -1 against it, 0 for neither."""
Found = tuple[Finding, list[Judgement]]
MEDICINE = Scope("measured", "when asked about medicine", ScopeRule((Term("domain", "medicine"),)))


def pair(i: int, split: Split, a: str = PLAIN, b: str = PLAIN) -> Pair:
    domain = "medicine" if i < 20 else "other"
    prompt = Prompt(f"{split}-{i}", (Message("user", f"Question {i}?"),), "test", split, domain)
    return Pair(prompt, Response(prompt.id, "a", a, "stop"), Response(prompt.id, "b", b, "stop"))


PAIRS = [pair(i, split) for split in ("train", "heldout") for i in range(N)]


def found(name: str, says: Says, measure: Measure | None = None, direction: Side = "b", *, heldout: Says | None = None,
          confirmed: bool = True, scope: bool = False) -> Found:  # fmt: skip
    """A finding with its verdicts; with `scope`, it is concentrated in medicine."""
    hypothesis = Hypothesis(name, f"<MODEL> does {name}", direction, "m", "style", measure=measure)
    verdicts = {1: Verdict(direction.upper()), -1: Verdict(other_side(direction).upper()), 0: Verdict.NEITHER}
    judgements = [
        Judgement(name, one.prompt.id, verdicts[(says if one.prompt.split == "train" else heldout or says)(i % N)], "m")
        for i, one in enumerate(PAIRS)
    ]
    train, other = (replace(metrics.measure(part, direction), q=0.01) for part in (judgements[:N], judgements[N:]))
    inside = Concentration(MEDICINE, other, other, 0.001, 0.001) if scope else None
    return Finding(hypothesis, train, other, True, confirmed, concentration=inside), judgements


def lines_of(
    *findings: Found,
    pairs: Sequence[Pair] = PAIRS,
    methods: Sequence[object] = (),
    applies: Mapping[str, float] | None = None,
) -> BehaviourGroups:
    every = [finding for finding, _ in findings]
    judgements = [judgement for _, judgements in findings for judgement in judgements]
    in_medicine = np.array([one.prompt.domain == "medicine" for one in pairs])
    entries = merge(every, judgements, pairs).entries
    return group_by_behaviour(
        entries, every, judgements, pairs, methods=methods, inside=lambda rule: in_medicine, applies=applies
    )


def known(*findings: Found, **more) -> dict[str, tuple[tuple[str, str], ...]]:
    """Per lead its other members, and how they are known."""
    lines = lines_of(*findings, **more).lines
    assert sorted(member for line in lines for member in line.members) == sorted(f.hypothesis.id for f, _ in findings)
    return {line.lead: tuple(zip(line.members[1:], line.known_by[1:], strict=True)) for line in lines}


def on(*spans: tuple[int, int], against: tuple[int, int] = (0, 0)) -> Says:
    """For the predicted side on pairs from each first number up to the second."""
    return lambda i: 1 if any(low <= i < high for low, high in spans) else -1 if against[0] <= i < against[1] else 0


REFUSES, SORRY, LISTS, WORDS = (PropertyMeasure(name) for name in ("refusals", "apologies", "lists", "words"))


def test_two_signs_of_one_group_are_kin() -> None:
    refuses, sorry = found("refuses", on((0, 40)), REFUSES), found("sorry", on((0, 12), (40, 45)), SORRY)
    assert known(sorry, refuses) == {"refuses": (("sorry", "kin"),)}  # the lead is what ranks first


def test_lines_of_what_was_tested_only_where_it_applies_stand_behind_what_holds_everywhere() -> None:
    narrow, everywhere = found("narrow", on((0, 90))), found("everywhere", on((0, 10), (50, 70)))
    assert [line.lead for line in lines_of(narrow, everywhere).lines] == ["narrow", "everywhere"]
    placed = lines_of(narrow, everywhere, applies={"narrow": 0.01})
    assert [line.lead for line in placed.lines] == ["everywhere", "narrow"]
    assert placed.weights["narrow"] == pytest.approx(0.1 * placed.weights["everywhere"])


def test_signs_of_one_group_that_do_not_go_together_are_not_kin() -> None:
    refuses = found("refuses", on((0, 40)), REFUSES)
    elsewhere = found("sorry", on((38, 60)), SORRY)  # r below .2, and of its pairs a tenth
    assert known(refuses, elsewhere) == {"refuses": (), "sorry": ()}
    other_model = found("sorry", on((0, 12)), SORRY, "a")
    assert ("sorry", "kin") not in known(refuses, other_model).get("refuses", ())


def test_what_the_lead_leaves_unexplained_keeps_its_line() -> None:
    """The lead decides half of the pairs for either side; where it is silent, the other one is for its side too."""
    lead = found("refuses", on((0, 60), against=(60, 70)), REFUSES)
    more = found("sorry", on((0, 20), (70, 100)), SORRY)
    assert known(lead, more) == {"refuses": (), "sorry": ()}


def test_of_a_member_the_lead_explains_three_quarters() -> None:
    """Of the pairs on which nothing is refused, nine of 60 apologise: .15 of a net difference of .43."""
    refuses = found("refuses", on((0, 40)), REFUSES)
    assert known(refuses, found("sorry", on((6, 49)), SORRY)) == {"refuses": (), "sorry": ()}
    assert known(refuses, found("sorry", on((0, 47)), SORRY)) == {"refuses": (("sorry", "kin"),)}


def test_what_differs_on_the_same_pairs_is_one_line() -> None:
    lists, longer = found("lists", on((0, 40)), LISTS), found("longer", on((0, 30), (40, 45)), WORDS)
    assert known(longer, lists) == {"lists": (("longer", "pairs"),)}
    seldom = found("longer", on((0, 4)), WORDS), found("lists", on((0, 4)), LISTS)
    assert known(*seldom) == {"lists": (("longer", "follows"),)}  # four pairs give no correlation


def test_members_for_the_other_side_are_mirrors() -> None:
    refuses, lists = found("refuses", on((0, 40)), REFUSES), found("lists", on((0, 35)), LISTS, "a")
    same = found("sorry", on((0, 30)), SORRY)
    assert known(lists, same, refuses) == {"refuses": (("sorry", "kin"), ("lists", "mirror"))}


def test_of_the_other_side_what_a_person_understands_comes_first() -> None:
    refuses = found("refuses", on((0, 40)), REFUSES)
    feature, phrase = (
        found("f", on((0, 38)), LatentMeasure((7,)), "a"),
        found("w", on((0, 30)), PhraseMeasure("x"), "a"),
    )
    (line,) = lines_of(refuses, feature, phrase).lines
    assert line.members == ("refuses", "w", "f")


def test_equal_verdicts_of_opposite_claims_are_no_mirror() -> None:
    """ "A refuses more" and "B gives lists": that A's refusals are where A gives lists is no such thing."""
    refuses = found("refuses", on((0, 40), against=(40, 60)), REFUSES, "b")
    reversed_there = found("lists", on((40, 60), against=(0, 15)), LISTS, "a")
    assert known(refuses, reversed_there) == {"refuses": (), "lists": ()}
    instead = found("lists", on((0, 35), against=(40, 60)), LISTS, "a")
    assert known(refuses, instead) == {"refuses": (("lists", "mirror"),)}


def test_what_shows_only_where_the_lead_shows_follows_it() -> None:
    lead = found("refuses", on((0, 50), against=(90, 97)), REFUSES)
    follower = found("dashes", on((0, 12), against=(20, 26)), PropertyMeasure("dashes"))
    elsewhere = found("dashes", on((0, 6), (50, 56)), PropertyMeasure("dashes"))
    balanced = found("refuses", on((0, 40)), REFUSES)
    assert known(balanced, found("dashes", on((0, 12)), PropertyMeasure("dashes"))) == {
        "refuses": (("dashes", "follows"),)
    }
    assert len(known(lead, elsewhere)) == 2
    assert len(known(lead, follower)) == 2  # .6 of its net is left, as the lead has pairs against it


PRAISES, DASHES = PropertyMeasure("praise"), PropertyMeasure("dashes")


def test_a_later_finding_leads_the_earlier_one_that_it_explains() -> None:
    """Praise ranks first, and shows on most pairs with dashes; without dashes it never shows."""
    praises, dashes = found("praises", on((0, 30)), PRAISES), found("dashes", on((0, 45)), DASHES)
    assert known(praises, dashes) == {"dashes": (("praises", "pairs"),)}
    assert known(*map(swapped, (praises, dashes))) == {other_id("dashes"): ((other_id("praises"), "pairs"),)}
    (line,) = lines_of(praises, dashes).lines
    assert line.residual == (None, 0.0)
    lists = found("lists", on((50, 80)), LISTS)
    assert [line.lead for line in lines_of(dashes, lists).lines] == ["lists", "dashes"]
    assert [line.lead for line in lines_of(praises, dashes, lists).lines] == ["dashes", "lists"]  # as praise weighs


def test_a_later_finding_leads_nothing_that_it_does_not_explain() -> None:
    praises, dashes = found("praises", on((0, 30)), PRAISES), found("dashes", on((0, 45)), DASHES)
    elsewhere = found("praises", on((0, 30), (45, 52)), PRAISES)  # of a net difference of .37, .13 without dashes
    assert known(elsewhere, dashes) == {"praises": (), "dashes": ()}
    bold = found("bold", on((0, 26), (45, 53)), PropertyMeasure("bold"))  # a sign of praise, and none of dashes
    assert known(praises, bold) == {"praises": (("bold", "pairs"),)}
    assert known(praises, bold, dashes) == {"praises": (("bold", "pairs"),), "dashes": ()}


def test_a_later_finding_leads_only_what_may_be_a_sign_of_it() -> None:
    praises, phrase = found("praises", on((0, 30)), PRAISES), found("word", on((0, 45)), PhraseMeasure("provide"))
    assert known(praises, phrase) == {"praises": (), "word": ()}
    unsure = found("dashes", on((0, 45)), DASHES, confirmed=False)
    assert known(praises, unsure) == {"praises": (), "dashes": ()}
    refuses = found("refuses", on((0, 30)), REFUSES)
    assert known(refuses, found("dashes", on((0, 45)), DASHES)) == {"refuses": (), "dashes": ()}


def test_nothing_with_a_place_of_its_own_follows_what_is_elsewhere_too() -> None:
    lead = found("refuses", on((0, 40)), REFUSES)
    narrow = found("dashes", on((0, 12)), PropertyMeasure("dashes"), scope=True)
    assert known(lead, narrow) == {"refuses": (), "dashes": ()}
    in_medicine = found("refuses", on((0, 20), (30, 34)), REFUSES)
    seldom = found("dashes", on((0, 6)), PropertyMeasure("dashes"), scope=True)
    assert known(in_medicine, seldom) == {"refuses": (("dashes", "follows"),)}  # 20 of its 24 pairs are there


def test_a_stated_condition_follows_only_what_has_the_same() -> None:
    def stated(one: Found) -> Found:
        scope = Scope("stated", "when asked for advice")
        return replace(one[0], hypothesis=replace(one[0].hypothesis, scope=scope)), one[1]

    lead, follower = found("refuses", on((0, 40)), REFUSES), found("said", on((0, 12)))
    assert known(lead, follower) == {"refuses": (("said", "follows"),)}
    assert known(lead, stated(follower)) == {"refuses": (), "said": ()}
    assert known(stated(lead), stated(follower)) == {"refuses": (("said", "follows"),)}


def test_what_is_not_confirmed_joins_nothing() -> None:
    refuses, sorry = found("refuses", on((0, 40)), REFUSES), found("sorry", on((0, 35)), SORRY, confirmed=False)
    assert known(refuses, sorry) == {"refuses": (), "sorry": ()}


def test_what_always_differs_has_no_residual_and_joins_by_kinship_alone() -> None:
    always = found("refuses", on((0, 100)), REFUSES), found("sorry", on((0, 100)), SORRY)
    (line,) = lines_of(*always).lines
    assert (line.known_by, line.residual) == (("lead", "kin"), (None, None))
    assert len(known(always[0], found("lists", on((0, 100)), LISTS))) == 2


def test_findings_that_say_the_same_join_together() -> None:
    """The feature says the same as the phrase, which shows on the pairs of a behaviour."""
    refuses = found("refuses", on((0, 40)), REFUSES)
    phrase = found("phrase", on((5, 30)), PhraseMeasure("i cannot"))
    feature = found("feature", on((5, 29)), LatentMeasure((7,)))
    assert known(refuses, phrase, feature) == {"refuses": (("feature", "pairs"), ("phrase", "pairs"))}


def test_every_member_has_its_agreement_and_residual() -> None:
    refuses, sorry = found("refuses", on((0, 40)), REFUSES), found("sorry", on((0, 30), (40, 42)), SORRY)
    (line,) = lines_of(refuses, sorry).lines
    assert line.agreement == (metrics.wilson(40, 40), metrics.wilson(30, 42))
    assert line.residual == (None, pytest.approx((2 / 60) / 0.32))


def test_lines_of_words_and_of_bare_features_are_folded() -> None:
    small, large = on((0, 20)), on((0, 60))
    cases: list[tuple[Found, Block]] = [
        (found("lists", small, LISTS), "behaviours"),
        (found("said", small), "behaviours"),
        (found("word", small, PhraseMeasure("provide")), "wording"),
        (found("word", large, PhraseMeasure("provide")), "behaviours"),
        (found("word", large, PhraseMeasure("provide"), confirmed=False), "wording"),
        (found("feature", large, LatentMeasure((7,))), "features"),
        (found("named", small, LatentMeasure((7,), in_words=True)), "behaviours"),
    ]
    for one, block in cases:
        assert [line.block for line in lines_of(one).lines] == [block], one[0].hypothesis.id


def test_a_phrase_of_one_side_alone_with_a_place_of_its_own_is_not_folded() -> None:
    said = ["Ahoy, friend." if i < 20 else PLAIN for i in range(N)]
    pairs = [pair(i, split, b=said[i]) for split in ("train", "heldout") for i in range(N)]
    ahoy = found("ahoy", on((0, 20)), PhraseMeasure("ahoy"), scope=True)
    for methods, block in (((LexicalMethod(),), "behaviours"), ((), "wording")):
        assert [line.block for line in lines_of(ahoy, pairs=pairs, methods=methods).lines] == [block]
    nowhere = found("ahoy", on((0, 20)), PhraseMeasure("ahoy"))
    assert [line.block for line in lines_of(nowhere, pairs=pairs, methods=(LexicalMethod(),)).lines] == ["wording"]


def test_the_order_is_confirmed_behaviours_then_folded_lines_then_the_rest() -> None:
    findings = [
        found("feature", on((0, 50)), LatentMeasure((7,))),
        found("unsure", on((50, 90)), REFUSES, confirmed=False),
        found("word", on((60, 80)), PhraseMeasure("provide")),
        found("dashes", on((20, 60)), PropertyMeasure("dashes")),
        found("lists", on((65, 100)), LISTS),
    ]
    assert [line.lead for line in lines_of(*findings).lines] == ["lists", "dashes", "word", "feature", "unsure"]


REFUSAL = "I'm sorry, but I cannot help with that. Ask me anything else."


def test_a_phrase_in_the_sentence_that_shows_a_property_is_a_part_of_it() -> None:
    """«cannot help» stands in the refusal, «anything else» beside it; all refusals have both, as few others do."""
    pairs = [pair(i, "train", b=REFUSAL if i < 10 else "Ask me anything else." if i < 40 else PLAIN) for i in range(N)]
    pairs += [pair(i, "heldout") for i in range(N)]
    findings = [
        found("refuses", on((0, 10)), REFUSES)[0],
        found("cannot", on((0, 10)), PhraseMeasure("cannot help"))[0],
        found("else", on((0, 40)), PhraseMeasure("anything else"))[0],
        found("ask-a", on((0, 10)), PhraseMeasure("ask"), "a")[0],
    ]
    use = phrase_use(findings, [LexicalMethod()], pairs)
    assert use.parts == {"cannot": {"refusals": 1.0}}
    assert use.exclusive == {"cannot", "else"}
    assert phrase_use(findings, [], pairs).parts == {}


def test_a_part_weighs_as_what_it_is_a_part_of() -> None:
    pairs = [pair(i, split, b=REFUSAL if i < 30 else PLAIN) for split in ("train", "heldout") for i in range(N)]
    refuses = found("refuses", on((0, 40), against=(90, 94)), REFUSES)
    cannot = found("cannot", on((0, 11)), PhraseMeasure("cannot help"))
    made = lines_of(refuses, cannot, pairs=pairs, methods=(LexicalMethod(),))
    (line,) = made.lines
    assert line.known_by == ("lead", "part")
    assert made.weights == {"refuses": 4.0, "cannot": pytest.approx(0.8 * 4)}
    assert lines_of(refuses, cannot).weights["cannot"] == 0.4


def test_nearly_all_responses_with_a_phrase_having_the_property_is_enough() -> None:
    """A word beside the refusal, which shows in no other response."""
    text = "I'm sorry, but I cannot help with that. Goodbye."
    pairs = [pair(i, "train", b=text if i < 10 else REFUSAL if i < 20 else PLAIN) for i in range(N)]
    findings = [found("refuses", on((0, 20)), REFUSES)[0], found("bye", on((0, 10)), PhraseMeasure("goodbye"))[0]]
    assert phrase_use(findings, [LexicalMethod()], pairs).parts == {"bye": {"refusals": 0.5}}
    everywhere = [pair(i, "train", b=text if i < 10 else REFUSAL) for i in range(N)]
    assert phrase_use(findings, [LexicalMethod()], everywhere).parts == {}  # the others refuse as often
    too_few = [pair(i, "train", b=text if i < 4 else PLAIN) for i in range(N)]
    assert phrase_use(findings, [LexicalMethod()], too_few).parts == {}


def test_of_many_responses_the_same_ones_are_read_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffing.grouping.phrase_use.MOST_PAIRS", 40)
    pairs = [pair(i, "train", b=REFUSAL if i % 2 else PLAIN) for i in range(N)]
    findings = [
        found("refuses", on((0, 50)), REFUSES)[0],
        found("cannot", on((0, 50)), PhraseMeasure("cannot help"))[0],
    ]
    method = LexicalMethod()
    read: list[str] = []
    monkeypatch.setattr(
        method, "sentences_shown", lambda measures, pair, side: read.append(pair.prompt.id) or [None] * len(measures)
    )
    phrase_use(findings, [method], pairs)
    assert len(set(read)) == 40
    first, read[:] = list(read), []
    phrase_use(findings, [method], pairs[::-1])
    assert read == first


def random_run(seed: int) -> list[Found]:
    draw = random.Random(seed)
    measures = [REFUSES, SORRY, LISTS, WORDS, PhraseMeasure("a b"), PhraseMeasure("c"), LatentMeasure((1,)), None]
    base = [draw.choices((1, -1, 0), (4, 1, 5), k=2 * N) for _ in range(3)]

    def says(row: list[int], noise: list[int]) -> Says:
        return lambda i: noise[i] if noise[i] != 2 else row[i]

    runs = []
    for number in range(16):
        noise = draw.choices((1, -1, 0, 2), (1, 1, 1, 12), k=2 * N)
        sign = draw.choice("ab")
        measure = draw.choice(measures)
        runs.append(found(f"h{number}", says(draw.choice(base), noise), measure, sign, scope=draw.random() < 0.2))
    return runs


def other_id(name: str) -> str:
    """Another one, and another order: an id is a hash of the direction."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def swapped(one: Found) -> Found:
    finding, judgements = one
    side, name = other_side(finding.hypothesis.direction), other_id(finding.hypothesis.id)
    other = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
    return (
        replace(finding, hypothesis=replace(finding.hypothesis, direction=side, id=name)),
        [replace(each, verdict=other.get(each.verdict, each.verdict), hypothesis_id=name) for each in judgements],
    )


@pytest.mark.parametrize("seed", range(6))
def test_swapping_the_models_or_shuffling_changes_nothing(seed: int) -> None:
    run = random_run(seed)
    made = lines_of(*run)
    assert any(len(line.members) > 2 for line in made.lines)
    renamed = [
        replace(line, lead=other_id(line.lead), members=tuple(map(other_id, line.members))) for line in made.lines
    ]
    assert list(lines_of(*map(swapped, run)).lines) == renamed
    draw = random.Random(seed)
    shuffled = draw.sample(run, len(run))
    pairs = draw.sample(PAIRS, len(PAIRS))
    assert lines_of(*((f, draw.sample(js, len(js))) for f, js in shuffled), pairs=pairs) == made


def test_relations_are_those_of_the_pairs_that_are_readable_for_both() -> None:
    draw = np.random.default_rng(1)
    values = draw.choice([1, -1, 0, 2], size=(4, 200), p=[0.4, 0.2, 0.3, 0.1]).astype(np.int8)
    of = VerdictRelations(values)
    for i in range(4):
        for j in range(4):
            both = (values[i] != 2) & (values[j] != 2)
            x, y = values[i, both].astype(float), values[j, both].astype(float)
            assert of.n[i, j] == both.sum()
            assert of.r[i, j] == pytest.approx(np.corrcoef(x, y)[0, 1])
            assert of.agreement[i, j] == pytest.approx((x * y)[(x != 0) & (y != 0)].clip(0).mean())
            assert of.share_for_given[i, j] == pytest.approx((x == 1)[y == 1].mean())
            strata = {sign: y[x == sign] for sign in (1, -1, 0)}
            p0 = (x == 0).mean()
            left = p0 * strata[0].mean() if i != j else 0.0
            left += (1 - p0) * (strata[1].mean() + strata[-1].mean()) / 2
            assert of.residual[i, j] == pytest.approx(left / y.mean(), abs=1e-12)
            se = np.sqrt(
                p0**2 * strata[0].var(ddof=1) / len(strata[0])
                + ((1 - p0) / 2) ** 2 * sum(strata[s].var(ddof=1) / len(strata[s]) for s in (1, -1))
            )
            assert of.residual_z[i, j] == (0.0 if i == j else pytest.approx(left / se))


@pytest.mark.parametrize(
    ("lead", "residual"),
    [
        ([1] * 30 + [0] * 70, (8 / 70) / 0.23),  # never against: where it is silent alone
        ([1] * 30 + [-1] * 4 + [0] * 66, (4 / 66) / 0.23),
        ([1] * 82 + [0] * 18, None),  # too few where it is silent
        ([1] * 100, None),
    ],
)
def test_without_pairs_against_the_lead_the_silent_pairs_decide(lead: list[int], residual: float | None) -> None:
    other = [1] * 15 + [0] * 15 + [1] * 8 + [0] * 62
    got = VerdictRelations(np.array([lead, other], dtype=np.int8)).residual[0, 1]
    assert np.isnan(got) if residual is None else got == pytest.approx(residual)
