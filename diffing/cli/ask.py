"""The command `diffing ask`: tests a user's own question on the held-out prompts of a finished report."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from diffing.cli.flags import build, with_flags
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Cache, Json
from diffing.cli.terminal_text import plain, plain_json
from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.paths import path_of
from diffing.run_settings import as_stored

if TYPE_CHECKING:
    from diffing.report.asked_tables import AskedResult
    from diffing.types import Report

_REACHING = ("base_url", "bill_to", "dtype", "usd_per_million", "judge_batch", "both_orders", "seed")
"""Settings of the run that also apply to the judge of a question."""


@with_flags(Limits)
def ask(
    *,
    report: Annotated[
        Path, typer.Argument(parser=path_of, metavar="REPORT", help="Folder of a report.", show_default=False)
    ],
    question: Annotated[
        str,
        typer.Argument(metavar="QUESTION", help='Such as "does B refuse medical questions more?"', show_default=False),
    ],
    judge: Annotated[
        str | None,
        typer.Option("--judge", help="The LLM that words the question and judges.", show_default="the run's judge"),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="The server of openai: models.", show_default="the run's server")
    ] = None,
    cache: Cache = None,
    json_: Json = False,
    **values: Any,
) -> None:
    """Test a question of your own on the held-out prompts of a report, and store the answer in it.

    What is asked of a report is tested together, apart from the run's findings, which stay as they are. It counts only
    if the question did not come from reading the responses to the held-out prompts.
    """
    from diffing.outputs.html import write_html
    from diffing.report import load_report, save_report
    from diffing.report.folder_lock import locked_folder
    from diffing.report.index import index_of

    if not (report / "report.json").exists():
        raise SettingError(
            f"{report} is not the folder of a report, in which the answer is stored. Give a folder that a run wrote"
        )
    with locked_folder(report, patience=600.0):
        before = load_report(report)
        after = _asked(before, question, _config(before, judge, base_url), build(Limits, values), cache)
        save_report(after, report)
        write_html(after, report / "report.html")
    results = index_of(after).asked
    shown = [each for each in results if each.asked.question == question]
    if json_:
        from diffing.report import report_summary

        print(plain_json([each for each in report_summary(after)["asked"] if each["question"] == question]))  # type: ignore[attr-defined]
    else:
        print_asked(shown, results, after)


def print_asked(shown: "list[AskedResult]", results: "tuple[AskedResult, ...]", report: "Report") -> None:
    """Prints answers, and what was tested together.

    Args:
        shown: The answers to print.
        results: Everything that was asked of the report.
        report: The report.
    """
    from diffing.outputs.asked_words import answer_of, family_of, question_of
    from diffing.report.index import index_of

    for each in shown:
        print(plain(f"{question_of(each)}\n  {answer_of(each, index_of(report).names)}"), file=sys.stdout)
    print(plain(family_of(results)), file=sys.stdout)


def _config(report: "Report", judge: str | None, base_url: str | None) -> DiffConfig:
    """The settings with which the judge is reached and asked: those of the run, or the user's."""
    stored = as_stored(report.settings)
    spec = judge or stored.get("judge") or stored.get("llm")
    if not spec:
        raise SettingError("The run had no judge. Give the LLM that words the question and judges, with --judge")
    known = {name: stored[name] for name in _REACHING if name in stored}
    if base_url:
        known["base_url"] = base_url
    return DiffConfig(model_a=spec, model_b=spec, llm=spec, **known)


def _asked(report: "Report", question: str, config: DiffConfig, limits: Limits, cache: Path | None) -> "Report":
    from diffing.asking import ask_report
    from diffing.judge import Judging
    from diffing.models.cache import Store, default_store
    from diffing.run import ModelBuilder, meter_of

    builder = ModelBuilder(config, Store.in_folder(cache) if cache else default_store(), meter_of(limits))
    judging = Judging(config.judge_batch, config.both_orders, config.seed)
    with progress_bars(Console(stderr=True)) as on_progress:
        after, usage = ask_report(report, question, builder.helper(str(config.llm)), judging, on_progress)
    calls = sum(each.calls for each in usage)
    tokens = sum(each.prompt_tokens + each.completion_tokens for each in usage)
    print(f"diffing: {calls:,} calls, {tokens:,} tokens", file=sys.stderr)
    return after
