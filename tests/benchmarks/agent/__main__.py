"""Runs the benchmark: `python -m tests.benchmarks.agent [--out FOLDER]`; about three minutes on a core."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diffing import metrics
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells, save_result
from diffing.methods.agent import AgentMethod
from diffing.methods.agent.investigation import Investigator
from diffing.methods.agent.probes import ProbedModels
from diffing.models.base import Sampling
from diffing.pipeline import DiffOptions, diff_models
from diffing.prompts import load_prompts
from diffing.types import Finding, Report, Row
from tests.benchmarks.agent.draw import MORE_NULL_SEEDS, NULL_SEEDS, SEEDS, drawn_triggers
from tests.benchmarks.agent.kinds import KINDS, Kind
from tests.benchmarks.agent.world import BEHAVIOURS, ScriptedAgent, in_process, planted_model
from tests.benchmarks.page import RESULTS
from tests.benchmarks.varied_words.environment import environment

ROUNDS, PROBES, SAMPLES = 10, 48, 3
TRAIN = HELDOUT = 30
"""Bundled prompts of a run; none of them meets a condition."""
ABOUT_PLANTED = f"""A scripted agent knows {len(KINDS)} kinds of prompts (keywords, who asks, languages, formats,
habits of code), which were written before ten of them were drawn by a fixed seed as triggers. Each pair of models
differs in one behaviour that one trigger turns on; everything else they say is noise that both have alike. The agent
has {ROUNDS} rounds of at most {PROBES} prompts, tries the kinds in an order of its own, and follows up only on what it
sees in the answers. No bundled prompt has any of the kinds. Found: confirmed on fresh prompts, of the right model,
under the trigger."""
ABOUT_NULL = """A model with all ten triggers against itself, with other samples. Everything that is confirmed is false.
The careful agent drops what does not recur. The careless one takes every prompt of a kind for a proof of what it once
saw there, so that coincidences are tested as well."""


def run(
    triggers: tuple[Mapping[str, Kind], Mapping[str, Kind]], agent: ScriptedAgent, seed: int = 0, probes: int = PROBES
) -> Report:
    """One comparison of two planted models by the agent alone.

    Args:
        triggers: What triggers each behaviour of model A and of model B.
        agent: The agent, which also judges.
        seed: The seed of the run and of the models' noise.
        probes: The largest number of prompts in a round.
    """
    models = planted_model(triggers[0], seed), planted_model(triggers[1], seed)
    prompts = load_prompts("bundled", train=TRAIN, heldout=HELDOUT)
    heldout = tuple(prompt for prompt in prompts if prompt.split == "heldout")
    llm, sampling = in_process(agent), Sampling(temperature=1.0, seed=seed)
    answering = ProbedModels(models, sampling, (0, 1), agent.samples)
    method = AgentMethod(Investigator(llm, answering, agent.rounds, probes, seed), heldout)
    return diff_models(
        *models, prompts, methods=[method], judge=llm, options=DiffOptions(sampling=sampling, sample_b=1)
    )


def finds(finding: Finding, name: str, kind: Kind) -> bool:
    """Whether a finding is confirmed and says that B shows a behaviour under its trigger."""
    hypothesis = finding.hypothesis
    said = hypothesis.text.startswith(BEHAVIOURS[name].hypothesis.removesuffix("."))
    where = hypothesis.scope is not None and hypothesis.scope.words == kind.condition
    return finding.confirmed and hypothesis.direction == "b" and said and where


def planted_rows() -> Iterator[Row]:
    """One row for each pair of models."""
    pairs = [(draw, *pair) for draw in SEEDS for pair in zip(BEHAVIOURS, drawn_triggers(draw), strict=True)]
    for draw, name, kind in pairs:
        report = run(({}, {name: kind}), ScriptedAgent(rounds=ROUNDS, samples=SAMPLES))
        confirmed = [each for each in report.findings if each.confirmed]
        found = [each for each in confirmed if finds(each, name, kind)]
        yield {
            "draw": draw,
            "behaviour": name,
            "trigger": kind.condition,
            "found": "yes" if found else "no",
            "wrong": len(confirmed) - len(found),
            "tested": len(report.findings),
            **estimate_cells(
                "shows", metrics.wilson(found[0].heldout.k_for, found[0].heldout.n) if found else metrics.UNDEFINED
            ),
            "asked": len(report.tables["agent_probes"]) // SAMPLES,
        }


def null_rows() -> Iterator[Row]:
    """One row for the careful and one for the careless agent, over all seeds."""
    triggers = dict(zip(BEHAVIOURS, drawn_triggers(), strict=True))
    agents = (("careful", NULL_SEEDS), ("careless", NULL_SEEDS), ("careless, more runs", MORE_NULL_SEEDS))
    for name, seeds in agents:
        careless = name != "careful"
        findings = [
            run(
                (triggers, triggers), ScriptedAgent(rounds=ROUNDS, samples=SAMPLES, seed=seed, careless=careless), seed
            ).findings
            for seed in seeds
        ]
        tested = [each for own in findings for each in own if each.heldout.p is not None]
        runs = sum(any(each.confirmed for each in own) for own in findings)
        yield {
            "agent": name,
            "runs": len(findings),
            "tested": len(tested),
            **estimate_cells("run_rate", metrics.wilson(runs, len(findings))),
            **estimate_cells("hypothesis_rate", metrics.wilson(sum(each.confirmed for each in tested), len(tested))),
        }


def planted_result(rows: Sequence[Row]) -> BenchmarkResult:
    """The table of the pairs with a trigger."""
    columns = (
        ResultColumn("draw", "Draw"),
        ResultColumn("behaviour", "Behaviour"),
        ResultColumn("trigger", "Trigger"),
        ResultColumn("found", "Found"),
        ResultColumn("wrong", "Confirmed and wrong"),
        ResultColumn("tested", "Hypotheses"),
        ResultColumn("shows", "Fits B where it applies", "%"),
        ResultColumn("asked", "Prompts asked"),
    )
    return _result("planted", "Triggers that an investigation finds", ABOUT_PLANTED, rows, columns)


def null_result(rows: Sequence[Row]) -> BenchmarkResult:
    """The table of a model against itself."""
    columns = (
        ResultColumn("agent", "Agent"),
        ResultColumn("runs", "Runs"),
        ResultColumn("tested", "Hypotheses tested"),
        ResultColumn("run_rate", "Runs that confirm anything", "%"),
        ResultColumn("hypothesis_rate", "Hypotheses confirmed", "%"),
    )
    return _result("null", "An investigation of a model against itself", ABOUT_NULL, rows, columns)


def _result(
    kind: str, title: str, about: str, rows: Sequence[Row], columns: tuple[ResultColumn, ...]
) -> BenchmarkResult:
    return BenchmarkResult(
        kind=kind,
        title=title,
        command="python -m tests.benchmarks.agent",
        about=about.replace("\n", " "),
        rows=tuple(rows),
        settings={"rounds": ROUNDS, "probes": PROBES, "samples": SAMPLES, **environment()},
        columns=columns,
    )


def main() -> None:
    """Runs everything and saves both results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    for name, rows, result in (
        ("planted-agent", planted_rows(), planted_result),
        ("null-agent", null_rows(), null_result),
    ):
        measured = []
        for row in rows:
            measured.append(row)
            print(*(f"{key} {value}" for key, value in row.items() if not key.endswith(("_low", "_high"))), flush=True)
        save_result(result(measured), options.out / f"{name}.json")


if __name__ == "__main__":
    main()
