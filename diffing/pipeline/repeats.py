"""Finds and judges hypotheses again with other seeds on the same responses, to see which confirmed ones recur."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from diffing.evaluation import findings_of
from diffing.methods.base import MeasuringMethod, Method, SeededMethod
from diffing.pipeline.method_discoveries import RunDiscoveries, find
from diffing.pipeline.model_comparison import ModelComparison
from diffing.pipeline.run_verdicts import judged
from diffing.run_records import judge_usage_of
from diffing.stability import RunStability, SeededRun, repeated_usage, stability_of
from diffing.stages import REPEAT
from diffing.types import Discovery, Finding, Judgement, Stage, Usage


@dataclass(frozen=True, slots=True)
class SeedRepeats:
    """What repeats with other seeds say about a run."""

    stability: RunStability
    """Which confirmed hypotheses come back."""
    usage: tuple[Usage, ...]
    """Calls and tokens of the repeats."""


def repeat_run(
    run: ModelComparison, found: RunDiscoveries, findings: tuple[Finding, ...], judgements: Sequence[Judgement]
) -> SeedRepeats:
    """Repeats a run with the next seeds, on the same responses, and compares what is confirmed.

    Args:
        run: The responses, the methods and the judge; `DiffOptions.stability` is the number of runs.
        found: The hypotheses of the run.
        findings: Its findings.
        judgements: The verdicts on these.
    """
    if run.options.stability <= 1:
        return SeedRepeats(RunStability({}, ()), ())
    methods, seed = run.helpers.methods, run.options.sampling.seed
    by_seed = {method.name for method in methods if isinstance(method, SeededMethod)}
    usage: list[Usage] = []
    done = 0

    def count_all(stage: Stage, begun: int, total: int) -> None:
        nonlocal done
        done += begun > 0
        run.on_progress(REPEAT, done, 0)

    def seeded(findings: Sequence[Finding], judgements: Sequence[Judgement], by: int) -> SeededRun:
        own = tuple(finding for finding in findings if finding.hypothesis.method in by_seed)
        return SeededRun(seed + by, own, judgements)

    def again(by: int) -> SeededRun:
        reseeded = replace(run.options, sampling=replace(run.options.sampling, seed=seed + by))
        discoveries: list[Discovery] = [
            find(method.reseeded(by), run, count_all) if isinstance(method, SeededMethod) else discovery
            for method, discovery in zip(methods, found.discoveries, strict=True)
        ]
        by_judge = judged(run, discoveries, found.own, reseeded, count_all)
        for method, discovery in zip(methods, discoveries, strict=True):
            usage.extend(discovery.usage if method.name in by_seed else ())
        usage.extend(judge_usage_of(by_judge.result))
        rerun = replace(found, discoveries=discoveries)
        verdicts = [*found.judgements, *by_judge.judgements]
        alpha, own = run.options.alpha, found.own.pairs
        findings = findings_of(rerun.hypotheses, verdicts, run.pairs, {}, alpha, found.scopes, own)
        return seeded(findings, verdicts, by)

    runs = [again(by) for by in range(1, run.options.stability)]
    stability = stability_of(seeded(findings, judgements, 0), runs, run.pairs)
    return SeedRepeats(replace(stability, notes=(*stability.notes, *_not_repeated(methods))), repeated_usage(usage))


def _not_repeated(methods: Sequence[Method]) -> tuple[str, ...]:
    """Names the methods whose judged hypotheses may be others with another seed, and that are not run again."""
    others = [each.name for each in methods if not isinstance(each, MeasuringMethod | SeededMethod)]
    if not others:
        return ()
    named = f"method {others[0]} was" if len(others) == 1 else f"methods {', '.join(others)} were"
    return (f"The {named} not repeated: nothing is known on whether the same hypotheses would come back.",)
