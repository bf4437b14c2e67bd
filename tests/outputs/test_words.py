"""What is said in plain words is true, and claims only what is confirmed."""

from dataclasses import replace

import pytest

from diffing import metrics
from diffing.outputs import phrasing
from diffing.outputs.claims import claim_in_words
from diffing.outputs.finding_results import sentence as sentence_of
from diffing.outputs.headline import headline
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import Finding, LatentMeasure, ModelInfo, PhraseMeasure
from tests.outputs.samples import empty_report, medium_report, merged_report, quiet_report

SHA, OTHER_SHA = "a" * 40, "b" * 40


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def named(a: str, b: str) -> ModelNames:
    report = empty_report()
    return index_of(replace(report, model_a=ModelInfo(a, "model_a"), model_b=ModelInfo(b, "model_b"))).names


def finding(k_for: int, k_against: int, n: int, *, confirmed: bool = True) -> Finding:
    sample = medium_report().findings[0]
    return replace(sample, heldout=metrics.metrics_of(n, k_for, k_against), confirmed=confirmed)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (f"org/base@{SHA}", f"org/tuned@{SHA}", ("base", "tuned")),
        ("providers:org/base:together@x", "openai:gpt-x:8b@127.0.0.1:80/v1", ("base", "gpt-x:8b")),
        ("recorded:runs/sft-2.5k.sample0.jsonl@0123", "recorded:rlhf.parquet@4567", ("sft-2.5k.sample0", "rlhf")),
        (f"org/base+me/adapter@{SHA}", f"org/base@{SHA}", ("base+adapter", "base")),
        ("/models/mine/", "models/yours", ("mine", "yours")),
        (f"org/m@{SHA}", f"org/m@{OTHER_SHA}", ("m@aaaaaaa", "m@bbbbbbb")),
        (f"org/m@{SHA}", "org/m@main", ("m@aaaaaaa", "m@main")),
        (f"org/m@{SHA}", f"org/m@{SHA}", ("m (A)", "m (B)")),
        ("one/m", "two/m", ("m (A)", "m (B)")),
        ("", "  \n", ("model a", "model b")),
        ("org/a\nb\x00c", "org/" + "x" * 90, ("a b c", "x" * 31 + "…" + "x" * 16)),
    ],
)  # fmt: skip
def test_short_names_are_the_last_part_and_never_equal(a: str, b: str, expected: tuple[str, str]) -> None:
    names = named(a, b)
    assert (names.a, names.b) == expected


def test_a_finding_in_one_sentence() -> None:
    sentence = plain(sentence_of(finding(59, 10, 83), ModelNames("base", "tuned")))
    assert sentence == (
        "tuned writes longer responses (in words) than base: in 71% of 83 held-out prompts, and the reverse in "
        "12%; net difference +59 points, 95% interval +42 to +72"
    )


def test_what_is_not_confirmed_says_so() -> None:
    assert sentence_of(finding(5, 4, 83, confirmed=False), ModelNames("x", "y")).endswith("; not confirmed")
    dropped = finding(0, 0, 0, confirmed=False)
    told = sentence_of(dropped, ModelNames("x", "y"))
    assert told.endswith(": not tested on held-out prompts, futile after the train prompts")
    unread = replace(dropped, heldout=metrics.metrics_of(0, 0, 0, unreadable=83))
    told = sentence_of(unread, ModelNames("x", "y"))
    assert told.endswith("not tested, because no verdict on held-out prompts is readable")


def test_what_train_dropped_is_not_counted_as_tested() -> None:
    report = quiet_report()
    nothing = metrics.metrics_of(0, 0, 0)
    some = tuple(replace(f, heldout=nothing) if n else f for n, f in enumerate(report.findings))
    told = plain(phrasing.explanation(replace(report, findings=some)))
    assert "with 1 idea tested, these prompts can confirm" in told
    none = replace(report, findings=tuple(replace(f, heldout=nothing) for f in report.findings))
    assert headline(none).endswith("was confirmed: train prompts left nothing to test")
    assert phrasing.explanation(none).startswith(
        "None of the hypotheses that came up (4) looked on train prompts as if"
    )


def test_the_headline_is_the_first_difference_the_first_of_the_other_model_and_the_next() -> None:
    report = medium_report()
    confirmed = [f for f in report.findings if f.confirmed]
    names = index_of(report).names
    across = next(f for f in confirmed if f.hypothesis.direction != confirmed[0].hypothesis.direction)
    rest = next(f for f in confirmed[1:] if f is not across)
    assert headline(report) == ". ".join(claim_in_words(each, names) for each in (confirmed[0], across, rest))
    assert plain(phrasing.explanation(report)).startswith(
        f"{len(confirmed)} of 12 tested differences are confirmed on 180 held-out prompts. Each was predicted"
    )
    one = replace(report, findings=tuple(replace(f, confirmed=n == 0) for n, f in enumerate(report.findings)))
    assert headline(one) == claim_in_words(one.findings[0], names)
    assert plain(phrasing.explanation(one)).startswith("1 of 12 tested differences is confirmed")


def test_merged_findings_are_counted_as_tested_and_named_by_their_leads() -> None:
    """The rate of chance ones holds among findings, not among entries, so the findings are what is counted."""
    report = merged_report()
    confirmed = sum(f.confirmed for f in report.findings)
    told = plain(phrasing.explanation(report))
    assert told.startswith(f"{confirmed - 2} differences are confirmed on 180 held-out prompts. Each was predicted")
    assert told.endswith(
        f"Of the {confirmed} confirmed findings behind that, among 12 tested, expect at most about 1 in 20 to be "
        "chance."
    )
    last = report.merged[0].members[-1]
    led = replace(report.merged[0], lead=last, members=report.merged[0].members[::-1])
    swapped = replace(report, merged=(led, *report.merged[1:]))
    (first,) = [f for f in report.findings if f.hypothesis.id == last]
    assert headline(swapped).startswith(claim_in_words(first, index_of(report).names))


def test_nothing_confirmed_is_said_plainly_with_what_could_have_been() -> None:
    report = quiet_report()
    assert plain(headline(report)) == (
        "No difference between tern-1b-base and tern-1b-chat held up on the 83 prompts kept aside for checking"
    )
    assert plain(phrasing.explanation(report)) == (
        "That is not proof that there is none: with 4 ideas tested, these prompts can confirm no difference below 8 "
        "percentage points (7 of 83 prompts for it and none against), and one that often goes both ways must be "
        "larger. More prompts can confirm smaller ones."
    )


def test_no_hypothesis_is_not_no_difference() -> None:
    assert headline(empty_report()).startswith("No hypothesis was found, so nothing was tested")
    assert "not proof that the models behave alike" in phrasing.explanation(empty_report())


def test_too_few_prompts_can_confirm_nothing() -> None:
    report = quiet_report()
    few = tuple(replace(f, heldout=metrics.metrics_of(4, 4, 0)) for f in report.findings)
    assert "4 prompts cannot confirm any difference, however large" in plain(
        phrasing.explanation(replace(report, findings=few))
    )


@pytest.mark.parametrize(("tested", "n"), [(1, 50), (4, 83), (12, 83), (60, 500), (1000, 40)])
def test_the_smallest_confirmable_difference_is_the_edge_of_the_real_test(tested: int, n: int) -> None:
    """One verdict fewer, and the same run of tests does not confirm it."""

    def is_confirmed(k: int) -> bool:
        others = dict.fromkeys(map(str, range(tested - 1)), metrics.metrics_of(n, 0, 0))
        return metrics.confirmed(metrics.confirm({"lone": metrics.metrics_of(n, k, 0), **others})["lone"])

    smallest = phrasing.smallest_confirmable(tested, n)
    assert smallest is not None
    assert is_confirmed(round(smallest * n))
    assert not is_confirmed(round(smallest * n) - 1)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (phrasing.percent(0.714), "71%"), (phrasing.percent(0.0), "0%"), (phrasing.percent(0.001), "<1%"),
        (phrasing.percent(0.9999), ">99%"), (phrasing.percent(1.0), "100%"), (phrasing.percent(None), "–"),
        (phrasing.points(0.59), "+59"), (phrasing.points(-0.12), "−12"), (phrasing.points(0.0), "0"),
        (phrasing.points(0.0071), "+0.7"),
        (phrasing.points(-0.0000001), "0"), (phrasing.points(None), "–"), (phrasing.probability(1e-9), "<0.0001"),
        (phrasing.probability(0.0123), "0.01"), (phrasing.probability(0.0049), "0.0049"),
        (phrasing.probability(None), "–"),
        (phrasing.count(1, "prompt"), "1 prompt"), (phrasing.count(1234, "prompt"), "1,234 prompts"),
        (phrasing.one_line("a\n\tb\x00c", 10), "a b c"), (phrasing.one_line("abcdef", 4), "abc…"),
    ],
)  # fmt: skip
def test_numbers_as_they_are_said(said: str, expected: str) -> None:
    assert plain(said) == expected


def test_names_stand_where_the_placeholders_stood() -> None:
    sample = medium_report().findings[0]
    hypothesis = replace(sample.hypothesis, text="<MODEL> <b> beats <OTHER MODEL>, not <model>.", direction="a")
    swapped = replace(sample, hypothesis=hypothesis)
    assert phrasing.statement(swapped, ModelNames("one", "two")) == "one <b> beats two, not <model>"
    assert [side for _, side in phrasing.pieces(swapped)] == ["a", None, "b", None]


def test_a_model_named_like_a_placeholder_is_left_alone() -> None:
    names = ModelNames("<OTHER MODEL>", "<MODEL>")
    assert phrasing.statement(medium_report().findings[0], names).startswith("<MODEL> writes longer")


def test_a_feature_does_not_lead_where_words_can() -> None:
    report = medium_report()
    first, *others = report.findings
    feature = replace(first, hypothesis=replace(first.hypothesis, method="sae", measure=LatentMeasure((1,))))
    across = next(f for f in others if f.confirmed and f.hypothesis.direction != first.hypothesis.direction)
    same = next(f for f in others if f.confirmed and f.hypothesis.direction == first.hypothesis.direction)
    names = index_of(report).names
    told = headline(replace(report, findings=(feature, *others)))
    assert told.startswith(claim_in_words(min(across, same, key=others.index), names))
    assert claim_in_words(feature, names) not in told
    assert headline(replace(report, findings=(feature,))) == claim_in_words(feature, names)


def test_a_phrase_does_not_lead_where_a_sentence_is_confirmed() -> None:
    """However large its difference is: «it is important» says less than what a model does."""
    report = medium_report()
    first, *others = report.findings
    phrase = replace(first, hypothesis=replace(first.hypothesis, measure=PhraseMeasure("it is important")))
    with_phrase = replace(report, findings=(phrase, *others))
    (sentence, *_), names = (
        [f for f in others if f.confirmed and phrasing.headline_rank(f) == 0],
        index_of(report).names,
    )
    assert headline(with_phrase).startswith(claim_in_words(sentence, names))
    assert headline(replace(report, findings=(phrase,))) == claim_in_words(phrase, names)


def test_fewer_prompts_planned_for_some_are_told() -> None:
    report = medium_report()
    first, *others = report.findings
    fewer = replace(report, findings=(replace(first, heldout=metrics.metrics_of(60, 50, 2, unreadable=3)), *others))
    assert "are confirmed on 63 to 180 held-out prompts" in plain(phrasing.explanation(fewer))
    unconfirmed = replace(fewer, findings=tuple(replace(f, confirmed=False) for f in fewer.findings))
    assert plain(headline(unconfirmed)).endswith("held up on the 63 to 180 prompts kept aside for checking")
