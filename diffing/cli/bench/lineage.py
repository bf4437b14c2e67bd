"""`diffing bench lineage`: what each step of a model's making changed."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from diffing.cli.bench.shown import SaveTo, as_typed, show_result
from diffing.cli.flags import build, with_flags
from diffing.cli.progress import progress_bars
from diffing.config import DiffConfig, Limits, settings_of
from diffing.model_ref import read_ref, without_folders
from diffing.paths import path_of


@with_flags(DiffConfig, Limits, without=("model_a", "model_b"))
def lineage(
    *,
    model: Annotated[list[str], typer.Argument(help="Models, the earliest first.", show_default=False)],
    name: Annotated[list[str] | None, typer.Option("--name", help="What to call each, in the same order.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Differences shown per step.")] = 8,
    cache: Annotated[
        Path | None, typer.Option("--cache", parser=path_of, metavar="PATH", help="Folder of kept completions.")
    ] = None,
    save: SaveTo = None,
    title: Annotated[str, typer.Option("--title", help="Headline of the result.")] = "What each step changed",
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
    **values: Any,
) -> None:
    """Compare each model with the one before it: base, fine-tuned, aligned, ..."""
    from diffing.bench.lineage import lineage as run_lineage
    from diffing.bench.lineage import lineage_result
    from diffing.errors import SettingError
    from diffing.models.cache import Store

    config, limits = build(DiffConfig, values, model_a="", model_b=""), build(Limits, values)
    if name and len(name) != len(model):
        raise SettingError(f"There are {len(model)} models and {len(name)} --name: expected one for each")
    plain = [without_folders(each) for each in model]
    called = name or [read_ref(each).short_at_revision for each in plain]
    store = Store(cache / "completions.sqlite") if cache else None
    with progress_bars(Console(stderr=True)) as on_progress:
        models = list(zip(called, model, strict=True))
        steps = run_lineage(models, config, limits=limits, store=store, on_progress=on_progress)
    arguments = [*plain, *(part for each in name or [] for part in ("--name", each)), "--most", str(most)]
    result = lineage_result(
        steps,
        most=most,
        command=as_typed("diffing bench lineage", arguments, config),
        settings={"models": ", ".join(plain), "most": most, **settings_of(config)},
        title=title,
    )
    show_result(result, save, json_)
