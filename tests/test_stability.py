"""Repeats with other seeds: what comes back is known exactly, and words do not decide it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from diffing import metrics
from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.estimate import estimate
from diffing.judgements import Judgements
from diffing.methods.base import Method
from diffing.methods.lexical import LexicalMethod
from diffing.methods.llm import LlmMethod
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.stability import SeededRun, stability_of
from diffing.types import (
    SIDES,
    Discovery,
    Finding,
    Hypothesis,
    Judgement,
    Message,
    OnProgress,
    Pair,
    Prompt,
    Report,
    Response,
    Row,
    Side,
    Stage,
    Verdict,
    ignore_progress,
)
from diffing.view.progress.steps import steps_of
from tests.servers.rules import PRAISE, Observation, RuleLLM, in_process, planted_pairs

N = 60


def pair(i: int, split: str) -> Pair:
    prompt = Prompt(f"{split}-{i}", (Message("user", f"Question {i}?"),), "test", split)
    return Pair(prompt, Response(prompt.id, "a", "It is so.", "stop"), Response(prompt.id, "b", "It is so.", "stop"))


PAIRS = [pair(i, split) for split in ("train", "heldout") for i in range(N)]
Says = Callable[[int], Verdict]


def b_in(numbers: range, against: range = range(0)) -> Says:
    """B in the pairs of these numbers, A in others."""
    return lambda i: Verdict.B if i in numbers else Verdict.A if i in against else Verdict.NOT_SHOWN


def run(seed: int, *said: tuple[str, Says], direction: Side = "b", confirmed: bool = True) -> SeededRun:
    """A run with these hypotheses; on train pairs all of them say the same, which must not count."""
    findings, judgements = [], []
    for text, says in said:
        hypothesis = Hypothesis(f"llm-{seed}-{text}", text, direction, "llm", "style")
        given = [
            Judgement(
                hypothesis.id, each.prompt.id, Verdict.B if each.prompt.split == "train" else says(i % N), "judge"
            )
            for i, each in enumerate(PAIRS)
        ]
        judgements += given
        heldout = metrics.measure(given[N:], direction)
        findings.append(Finding(hypothesis, metrics.measure(given[:N], direction), heldout, True, confirmed))
    return SeededRun(seed, tuple(findings), judgements)


def rows_of(first: SeededRun, *repeats: SeededRun) -> list[Row]:
    return list(stability_of(first, repeats, PAIRS).tables.get("stability", ()))


@pytest.mark.parametrize(
    ("again", "comes_back"),
    [
        (b_in(range(20)), True),
        (b_in(range(10)), True),  # 10 of 20
        (b_in(range(9)), False),
        (b_in(range(10, 40)), False),  # 10 of 40
        (b_in(range(20), range(20, 40)), True),  # 20 of 40
        (b_in(range(20), range(20, 41)), False),
        (b_in(range(20, 40)), False),
        (b_in(range(0)), False),
    ],
)
def test_a_hypothesis_comes_back_if_half_of_the_decided_pairs_agree(again: Says, comes_back: bool) -> None:
    first, repeat = run(0, ("<MODEL> is kind.", b_in(range(20)))), run(1, ("<MODEL> is warm.", again))
    assert [row["came_back"] for row in rows_of(first, repeat)] == [int(comes_back)]


def test_two_behaviours_that_both_show_in_most_pairs_are_not_the_same() -> None:
    """45 and 45 of 60, by chance together in 34: 34 of 56 agree, but no more than chance gives."""
    first = run(0, ("<MODEL> is kind.", b_in(range(45))))
    by_chance = run(1, ("<MODEL> writes more.", lambda i: Verdict.B if i < 34 or i >= 49 else Verdict.NOT_SHOWN))
    assert [row["came_back"] for row in rows_of(first, by_chance)] == [0]
    more = run(1, ("<MODEL> writes more.", b_in(range(4, 49))))  # 41 of 49
    assert [row["came_back"] for row in rows_of(first, more)] == [1]
    everywhere = run(0, ("<MODEL> is kind.", b_in(range(60)))), run(1, ("<MODEL> is warm.", b_in(range(55))))
    assert [row["came_back"] for row in rows_of(*everywhere)] == [1]


def test_other_directions_and_unconfirmed_hypotheses_do_not_count() -> None:
    """Words do not make a hypothesis come back either."""
    text, kind = "<MODEL> is kind.", b_in(range(20))
    first = run(0, (text, kind))
    assert rows_of(first, run(1, (text, kind), confirmed=False))[0]["confirmed_in_repeat"] == 0
    assert rows_of(first, run(1, (text, kind), confirmed=False))[0]["came_back"] == 0
    mirrored = run(1, (text, lambda i: Verdict.A if i < 20 else Verdict.NOT_SHOWN), direction="a")
    assert rows_of(first, mirrored)[0]["came_back"] == 0
    assert rows_of(first, run(1, (text, b_in(range(30, 50)))))[0]["came_back"] == 0


def test_only_pairs_with_a_readable_verdict_on_both_are_compared() -> None:
    """A repeat that was judged on half of the pairs, and unreadable verdicts, are no disagreement."""
    first = run(0, ("<MODEL> is kind.", lambda i: Verdict.UNREADABLE if i in (0, 1) else b_in(range(20))(i)))
    repeat = run(1, ("<MODEL> is warm.", b_in(range(12))))
    half = replace(repeat, judgements=[each for each in repeat.judgements if int(each.prompt_id.split("-")[1]) < 30])
    (detail,) = stability_of(first, [half], PAIRS).tables["stability_hypotheses"]
    assert (detail["came_back"], detail["agreement"]) == (True, pytest.approx(10 / 18))


def test_the_share_has_an_interval_and_a_row_per_repeat() -> None:
    spans = [range(i, i + 10) for i in (0, 10, 20, 30)]
    first = run(0, *((f"<MODEL> does {span.start}.", b_in(span)) for span in spans))
    one = run(1, *((f"<MODEL> makes {span.start}.", b_in(span)) for span in spans[:3]))
    two = run(2, ("<MODEL> makes all.", b_in(spans[3])), ("<MODEL> is odd.", b_in(range(45, 60))))
    stability = stability_of(first, [one, two], PAIRS)
    shares = [metrics.wilson(3, 4), metrics.wilson(1, 4)]
    assert [tuple(row.values()) for row in stability.tables["stability"]] == [
        (0, 1, 4, 3, 0.75, shares[0].low, shares[0].high, 3),
        (0, 2, 4, 1, 0.25, shares[1].low, shares[1].high, 2),
    ]
    details = stability.tables["stability_hypotheses"]
    assert [(row["came_back"], row["nearest"]) for row in details[:3]] == [
        (True, f"<MODEL> makes {span.start}.") for span in spans[:3]
    ]
    assert stability.notes == (
        "The run was repeated with the seeds 1 and 2, on the same responses. Of 4 confirmed hypotheses that depend on "
        "the seed, these came back: 3 with seed 1 (75%, 95% interval 30% to 95%) and 1 with seed 2 (25%, 95% interval "
        "5% to 70%). A hypothesis comes back if the repeat confirmed one for the same model whose verdicts on the same "
        "held-out prompts are the same in at least 50% of those that either decides.",
    )


def test_without_a_confirmed_hypothesis_the_share_is_undefined() -> None:
    kind = ("<MODEL> is kind.", b_in(range(20)))
    stability = stability_of(run(0, kind, confirmed=False), [run(1, kind)], PAIRS)
    (row,) = stability.tables["stability"]
    assert (row["confirmed"], row["share"], row["low"], row["high"], row["confirmed_in_repeat"]) == (
        0,
        None,
        None,
        None,
        1,
    )
    assert stability.notes == (
        "The run was repeated with seed 1, on the same responses. No hypothesis that depends on the seed is confirmed, "
        "so none could come back. The repeats confirmed 1.",
    )


class Forgetful(RuleLLM):
    """Proposes what it has read, but where praise is of model Y it words it otherwise and forgets refusing."""

    def _propose(self, lines: Sequence[Observation]) -> list[dict[str, object]]:
        found = super()._propose(lines)
        if not any("praise" in str(each["behaviour"]) and each["model"] == "Y" for each in found):
            return found
        return [{**each, "behaviour": PRAISE.has[1]} for each in found if "praise" in str(each["behaviour"])]


PLANTED = planted_pairs()
ANSWERS = {side: {each.prompt.text: each.response(side).text for each in PLANTED} for side in SIDES}


def first_seed() -> int:
    """A seed with which b is X, while it is Y with the next seed and X with the one after."""

    def b_is_x(seed: int) -> bool:
        return hashlib.sha256(f"X\0{seed}".encode()).digest()[0] % 2 == 1

    return next(
        seed for seed in range(100) if (b_is_x(seed), b_is_x(seed + 1), b_is_x(seed + 2)) == (True, False, True)
    )


def compared(
    stability: int, on_progress: Callable[[Stage, int, int], None] = lambda *_: None, more: Sequence[Method] = ()
) -> Report:
    llm, seed = in_process(Forgetful()), first_seed()
    model_a, model_b = (
        ScriptedModel(side, lambda conversation, _, side=side: ANSWERS[side][conversation[-1].content])  # type: ignore[misc]
        for side in SIDES
    )
    return diff_models(
        model_a,
        model_b,
        [each.prompt for each in PLANTED],
        methods=(LexicalMethod(), LlmMethod(llm, embedder="tfidf", seed=seed), *more),
        judge=llm,
        options=DiffOptions(sampling=Sampling(seed=seed), stability=stability, check_judge=0),
        on_progress=on_progress,
    )


def test_a_run_is_repeated_with_the_next_seeds() -> None:
    """Praise comes back though it is worded otherwise; refusing comes back with one of the two seeds."""
    progress: list[tuple[str, int, int]] = []
    report, seed = compared(3, lambda *told: progress.append(told)), first_seed()
    confirmed = [f for f in report.findings if f.confirmed and f.hypothesis.method == "llm"]
    assert sorted(finding.hypothesis.direction for finding in confirmed) == ["a", "b"]
    assert [(row["repeated_with"], row["confirmed"], row["came_back"]) for row in report.tables["stability"]] == [
        (seed + 1, 2, 1),
        (seed + 2, 2, 2),
    ]
    worded = {row["nearest"] for row in report.tables["stability_hypotheses"] if row["came_back"]}
    assert PRAISE.has[1] in worded
    assert any(f"1 with seed {seed + 1} (50%" in note for note in report.notes)
    # everything but what tells of the repeats is as without them
    once = compared(1)
    assert (once.findings, list(once.judgements), once.merged) == (
        report.findings,
        list(report.judgements),
        report.merged,
    )
    assert isinstance(report.judgements, Judgements)
    assert "stability" not in once.tables
    assert report.notes[:-1] == once.notes
    usage = {each.stage: each.calls for each in report.usage}
    added = {stage: calls for stage, calls in usage.items() if stage.endswith(", repeated")}
    assert usage == {each.stage: each.calls for each in once.usage} | added
    assert added["describe, repeated"] == 2 * usage["describe"]
    assert added["judge, repeated"] == 2 * usage["judge"]
    repeats = [done for stage, done, _ in progress if stage == "repeat"]
    assert repeats == sorted(repeats)
    assert repeats[-1] >= sum(added.values())


class Once:
    """A judged method that cannot be run with another seed, as the agent."""

    name = "once"
    models = ()

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        return Discovery(())


def test_a_judged_method_that_is_not_repeated_is_named() -> None:
    note = "The method once was not repeated: nothing is known on whether the same hypotheses would come back."
    assert compared(2, more=[Once()]).notes[-1] == note
    assert note not in compared(1, more=[Once()]).notes


def test_without_a_method_that_depends_on_the_seed_it_is_refused() -> None:
    model = ScriptedModel("m", lambda conversation, sampling: "x")
    with pytest.raises(SettingError, match="Stability is 3, but no method depends on the seed"):
        diff_models(
            model,
            model,
            [each.prompt for each in PAIRS],
            methods=[LexicalMethod()],
            options=DiffOptions(stability=3),
        )
    with pytest.raises(SettingError, match="--stability 3 has no effect without --method llm"):
        estimate(DiffConfig("providers:org/a", "providers:org/b", stability=3), Limits())
    with pytest.raises(SettingError, match="--stability is 0: expected 1 to 20"):
        DiffConfig("providers:org/a", "providers:org/b", stability=0)


def test_repeats_are_estimated_under_the_names_of_their_usage() -> None:
    config = DiffConfig(
        "providers:org/a", "providers:org/b", llm="providers:org/llm", train=40, heldout=20, stability=3
    )
    told = {stage.name: stage for stage in estimate(config, Limits()).stages}
    added = {name.removesuffix(", repeated") for name in told if name.endswith(", repeated")}
    assert added == {"describe", "propose", "join", "sharpen", "scope", "judge"}
    for name in added:
        once, again = told[name], told[f"{name}, repeated"]
        assert (again.calls, again.prompt_tokens) == (2 * once.calls, 2 * once.prompt_tokens)
    assert [step.title for step in steps_of(config)][-2] == "Repeating with other seeds"
