"""Looks inside two real models of different makers: `python -m tests.benchmarks.inside_real --models FOLDER`.

The crosscoder method compares SmolLM2-135M-Instruct with the base model gemma-3-270m, which have different
architectures and tokenizers, and SmolLM2-135M-Instruct with a second sample of itself. Both were read in the middle of
their blocks. The crosscoder was trained on the run's train responses and on the topics of Python's own documentation,
which come with Python (`pydoc_data.topics`).
"""

import json
import pydoc_data.topics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from diffing.bench.results import BenchmarkResult, ResultColumn
from diffing.cli.bench.printing import SaveTo, show_result
from diffing.cli.commands import main
from diffing.config import DiffConfig
from diffing.models.cache import Store
from diffing.run import run
from diffing.types import OnProgress, Report, Row, Scalar, Stage
from tests.benchmarks.real_models import GEMMA3, SMOLLM2, SOURCES
from tests.view.examples.real import REAL

commands = typer.Typer(add_completion=False)
LATENTS = 512
CHARACTERS = 50_000
"""The size of the text that the dictionary is trained on beside the responses."""
_LONGEST = 1_500
"""The largest number of characters of one document of it, unless a paragraph is longer."""


def topics(characters: int) -> list[str]:
    """Returns the beginning of Python's documentation by topic, in documents of a few paragraphs."""
    documents = [""]
    for _, topic in sorted(pydoc_data.topics.topics.items()):
        for paragraph in topic.strip().split("\n\n"):
            if len(documents[-1]) + len(paragraph) > _LONGEST:
                documents.append("")
            documents[-1] += f"{paragraph}\n\n"
    sizes = [0]
    for document in documents:
        sizes.append(sizes[-1] + len(document))
    return [each for each, size in zip(documents, sizes, strict=False) if each and size < characters]


def config_of(corpus: Path, *, null: bool) -> DiffConfig:
    """Configures the crosscoder method on the two models, or on two samples of the first.

    Args:
        corpus: A file of texts to train on.
        null: Whether both sides are the first model.
    """
    other = {"model_b": SMOLLM2, "sample_b": 1, "temperature": 0.7} if null else {}
    settings = {"method": ("crosscoder",), "corpus": (str(corpus),), "dictionary_size": LATENTS, **other}
    return replace(REAL["two-families"], **settings)  # type: ignore[arg-type]


def measure(config: DiffConfig, store: Store, on_progress: OnProgress) -> tuple[Report, float, float]:
    """Runs the method; returns its report, and the seconds and processor seconds without writing the responses.

    Args:
        config: The run.
        store: Caches responses; the state of the training is kept beside it.
        on_progress: Told about the progress.
    """
    run(replace(config, method=("lexical",), corpus=(), dictionary_size=None), store=store)  # type: ignore[call-arg]
    began, used = time.perf_counter(), time.process_time()
    report = run(config, store=store, on_progress=on_progress)
    return report, time.perf_counter() - began, time.process_time() - used


def row_of(pair: str, measured: tuple[Report, float, float]) -> Row:
    """Makes the row of one pair."""
    report, seconds, processor = measured
    (quality,) = report.tables["crosscoder_quality"]
    features = report.tables["crosscoder_features"]
    kinds = {str(row["name"]): str(row["kind"]) for row in features}
    findings = [each for each in report.findings if each.hypothesis.method == "crosscoder"]
    confirmed = [each for each in findings if each.confirmed]
    by_kind = Counter(kinds[name] for each in confirmed for name in _features(each.hypothesis.measure))
    return {
        "pair": pair,
        "aligned_a": quality["aligned_a"],
        "aligned_b": quality["aligned_b"],
        "fve_a": quality["fve_a"],
        "fve_b": quality["fve_b"],
        "l0": quality["l0"],
        "dead": quality["dead"],
        "rows_per_latent": quality["rows_per_latent"],
        "exclusive_before": f"{quality['exclusive_a_before']} and {quality['exclusive_b_before']}",
        "exclusive": f"{quality['exclusive_a']} and {quality['exclusive_b']}",
        "internal": sum(row["shown_in"] == "internal" for row in features),
        "screened": sum(row["shown_in"] == "behaviour" for row in features),
        "tested": len(findings),
        "confirmed": len(confirmed),
        "kinds": ", ".join(f"{kind} {count}" for kind, count in by_kind.most_common()) or None,
        "causal": sum(row["causal"] is True for row in features),
        "checked": sum(row["causal"] is not None for row in features),
        "seconds": round(seconds),
        "processor_seconds": round(processor),
    }


def _features(measure: object) -> list[str]:
    return [each.name for each in measure.features]  # type: ignore[attr-defined]


def result_of(rows: tuple[Row, ...], report: Report, sources: Mapping[str, Mapping[str, object]]) -> BenchmarkResult:
    """Makes the table.

    Args:
        rows: One row per pair.
        report: The report of one of them, for versions.
        sources: What the folders were made of.
    """
    assert __doc__
    settings: dict[str, Scalar] = {
        "latents": LATENTS,
        "characters of documentation": CHARACTERS,
        "train prompts": sum(pair.prompt.split == "train" for pair in report.pairs),
        "held-out prompts": sum(pair.prompt.split == "heldout" for pair in report.pairs),
        "tokens per response, at most": REAL["two-families"].max_new_tokens,
        "threads": torch.get_num_threads(),
        **{f"sha256 of {name}": str(sources[name]["model.safetensors"]) for name in (SMOLLM2, GEMMA3)},
        **{f"version of {name}": version for name, version in report.versions.items()},
    }
    return BenchmarkResult(
        kind="crosscoder",
        title="Looking inside two small real models of different makers",
        command="python -m tests.benchmarks.inside_real --models FOLDER",
        about=__doc__.split("\n\n", 1)[1].strip() + "\n\nAligned is the share of each model's response tokens that end "
        "where a token of the other ends. FVE is the fraction of variance explained and dead the share of latents "
        "active nowhere, both on held-out responses. Exclusive latents are counted for the first and the second model. "
        "Seconds are those of everything but writing the responses. What is said is said of these files with weights "
        "of about 4 bits, not of the original weights.",
        rows=rows,
        settings=settings,
        columns=(
            ResultColumn("pair", "Pair"),
            ResultColumn("aligned_a", "Aligned, A", "%"),
            ResultColumn("aligned_b", "Aligned, B", "%"),
            ResultColumn("fve_a", "FVE, A"),
            ResultColumn("fve_b", "FVE, B"),
            ResultColumn("dead", "Dead", "%"),
            ResultColumn("exclusive_before", "Exclusive before scaling"),
            ResultColumn("exclusive", "After"),
            ResultColumn("screened", "Differ on train"),
            ResultColumn("tested", "Tested"),
            ResultColumn("confirmed", "Confirmed"),
            ResultColumn("kinds", "Of which kinds"),
            ResultColumn("causal", "Causal"),
            ResultColumn("processor_seconds", "Processor seconds"),
        ),
    )  # fmt: skip


def _print_progress(stage: Stage, done: int, total: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} {stage}: {done:,} of {total:,}", flush=True)


@commands.command("inside-real")
def _inside_real(
    *,
    models: Annotated[Path, typer.Option(help="The folder that tests.benchmarks.real_models made.")],
    cache: Annotated[Path | None, typer.Option(help="Keeps responses and training there; else in memory.")] = None,
    save: SaveTo = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Look inside SmolLM2-135M-Instruct and gemma-3-270m, and inside the first twice."""
    sources = json.loads((models / SOURCES).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="diffing-inside-") as folder:
        corpus = Path(folder) / "topics.jsonl"
        corpus.write_text("".join(json.dumps({"text": each}) + "\n" for each in topics(CHARACTERS)), encoding="utf-8")
        store = Store.in_folder((cache or Path(folder)).resolve())
        rows: list[Row] = []
        for pair, null in (
            ("SmolLM2-135M-Instruct, gemma-3-270m", False),
            ("SmolLM2-135M-Instruct, two samples", True),
        ):
            with chdir(models):
                measured = measure(config_of(corpus, null=null), store, _print_progress)
            rows.append(row_of(pair, measured))
            show_result(result_of(tuple(rows), measured[0], sources), save, json_)


if __name__ == "__main__":
    main(commands=commands)
