"""The command `diffing bench null`: compares a model with itself, so that everything confirmed is a false alarm."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from diffing.cli.bench.printing import SaveTo, reproducing_command, show_result
from diffing.cli.flags import build, with_flags
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Cache, Json
from diffing.config import DiffConfig, Limits, settings_of
from diffing.errors import SettingError
from diffing.model_ref import without_folders
from diffing.paths import path_of

if TYPE_CHECKING:
    from diffing.bench.null import NullPlan, NullRun

UNAVAILABLE = (
    *("model_a", "model_b", "sample_a", "sample_b"),
    *("system_prompt_b", "chat_template_b", "quantization_b"),
)
"""Settings for which this command has no flag, because it sets them itself."""


@with_flags(DiffConfig, Limits, without=UNAVAILABLE)
def null(
    *,
    model: Annotated[
        list[str] | None, typer.Argument(help="Models; each is compared with itself.", show_default=False)
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="For recorded: models, the second recording of each, in the same order."),
    ] = None,
    name: Annotated[list[str] | None, typer.Option("--name", help="A name for each model in the result.")] = None,
    pairs: Annotated[
        int, typer.Option("--pairs", help="Pairs of samples per model; for recordings, splits of the prompts.")
    ] = 3,
    like: Annotated[
        Path | None,
        typer.Option(
            "--like",
            parser=path_of,
            metavar="PATH",
            help="Take model A, prompts, methods and settings from this report's folder.",
        ),
    ] = None,
    cache: Cache = None,
    save: SaveTo = None,
    title: Annotated[str, typer.Option("--title", help="Title of the result.")] = "One model against itself",
    json_: Json = False,
    **values: Any,
) -> None:
    """Compare models with themselves, so that everything confirmed is a false alarm.

    It compares two samples of each model. For local weights it also compares two batch sizes, and the weights with a
    saved and reloaded copy. Settings for A (--system-prompt-a ...) apply to both sides.
    """
    from diffing.bench.null import null_result, null_runs
    from diffing.models.cache import Store

    plans = _plans(model or [], against or [], like, build(DiffConfig, values, model_a="", model_b=""))
    plans = _named(plans, pairs, name or [])
    limits = build(Limits, values)
    store = Store.in_folder(cache) if cache else None
    runs: list[NullRun] = []
    with progress_bars(Console(stderr=True)) as on_progress:
        for plan in plans:
            runs += null_runs(plan, limits=limits, store=store, on_progress=on_progress)
    models = ", ".join(without_folders(plan.config.model_a) for plan in plans)
    settings = {"models": models, "pairs": pairs, **_settings(plans[0].config)}
    show_result(null_result(runs, command=_typed(plans), settings=settings, title=title), save, json_)


def _plans(models: list[str], against: list[str], like: Path | None, given: DiffConfig) -> "list[NullPlan]":
    from diffing.bench.null import NullPlan, like_report
    from diffing.report import load_report

    if like is None and not models:
        raise SettingError("No model was given: expected at least one MODEL, or --like with the folder of a report")
    if like is not None:
        if len(models) > 1:
            raise SettingError(f"--like calibrates one model, got {len(models)}. Give one MODEL or none")
        configs = [like_report(load_report(like), models[0] if models else None, given)]
    else:
        configs = [replace(given, model_a=model) for model in models]
    if against and len(against) != len(configs):
        raise SettingError(f"There are {len(configs)} models and {len(against)} --against: expected one per model")
    return [NullPlan(config, against[number] if against else None) for number, config in enumerate(configs)]


def _named(plans: "list[NullPlan]", pairs: int, names: list[str]) -> "list[NullPlan]":
    if names and len(names) != len(plans):
        raise SettingError(f"There are {len(plans)} models and {len(names)} --name: expected one per model")
    named = [replace(plan, pairs=pairs, name=names[at] if names else None) for at, plan in enumerate(plans)]
    for plan in named:
        plan.check()
    return named


def _typed(plans: "list[NullPlan]") -> str:
    arguments = [without_folders(plan.config.model_a) for plan in plans]
    arguments += [part for plan in plans if plan.against for part in ("--against", without_folders(plan.against))]
    arguments += [part for plan in plans if plan.name for part in ("--name", plan.name)]
    arguments += ["--pairs", str(plans[0].pairs)]
    return reproducing_command("diffing bench null", arguments, plans[0].config)


def _settings(config: DiffConfig) -> dict[str, Any]:
    return {key: value for key, value in settings_of(config).items() if key not in UNAVAILABLE}
