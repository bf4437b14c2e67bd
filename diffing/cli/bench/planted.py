"""The command `diffing bench planted`: gives a model behaviours by system prompt, and scores how many are found."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from diffing.cli.bench.printing import reproducing_command, show_planted
from diffing.cli.flags import build, with_flags
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Cache
from diffing.config import DiffConfig, Limits, settings_of
from diffing.errors import SettingError
from diffing.model_ref import without_folders
from diffing.paths import path_of

if TYPE_CHECKING:
    from diffing.models.cache import Store

UNAVAILABLE = (
    *("model_a", "model_b", "sample_a", "rater", "alpha", "only_common"),
    *("system_prompt_b", "chat_template_b", "quantization_b", "second_judge", "pool", "pool_by", "suspect", "amplify"),
)
"""Settings for which this command has no flag: model B is always A with planted behaviours, on the given prompts."""


@with_flags(DiffConfig, Limits, without=UNAVAILABLE)
def planted(
    *,
    model: Annotated[str | None, typer.Argument(help="Any chat model.", show_default=False)] = None,
    plant: Annotated[
        list[str] | None, typer.Option("--plant", help="Id or kind of a behaviour; repeatable. Default: all 32.")
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option("--strength", help="Share of the prompts; repeatable. Default: 1, 0.3, 0.1 and 0.03."),
    ] = None,
    trigger: Annotated[
        list[str] | None, typer.Option("--trigger", help="always, domain or phrase; repeatable. Default: always.")
    ] = None,
    together: Annotated[
        int,
        typer.Option("--together", min=1, help="Number of behaviours per run; more is cheaper, but they interfere."),
    ] = 1,
    cache: Cache = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", parser=path_of, metavar="PATH", help="Folder for the results.", show_default=False),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    **values: Any,
) -> None:
    """Plant behaviours in a model with system prompts, and score which of them each method finds.

    Each combination of behaviour, strength and trigger is a separate run, whose completions are cached.
    """
    from diffing.models.cache import Store, default_store

    config, limits = build(DiffConfig, values, model_a=model or "", model_b=model or ""), build(Limits, values)
    store = Store.in_folder(cache) if cache else default_store()
    if not model:
        raise SettingError("No model was given: expected a MODEL, such as openai:name@http://localhost:8000/v1")
    _by_system_prompt(config, limits, store, (plant or [], strength or [], trigger or [], together), out, markdown)


def _by_system_prompt(
    config: DiffConfig,
    limits: Limits,
    store: "Store",
    grid: tuple[list[str], list[float], list[str], int],
    out: Path | None,
    markdown: bool,
) -> None:
    from diffing.bench.planted.catalogue import select_behaviours
    from diffing.bench.planted.grid import STRENGTHS, plants_of, run_grid, setup_of, strengths_of, triggers_of
    from diffing.bench.planted.recall_tables import ResultText, results_of

    plant, strength, trigger, together = grid
    behaviours, strengths, triggers = (
        select_behaviours(plant),
        strengths_of(strength) or STRENGTHS,
        triggers_of(trigger),
    )
    setup = setup_of(config, together, limits=limits, store=store)
    plants = plants_of(behaviours, strengths, triggers, setup)
    with progress_bars(Console(stderr=True)) as on_progress:
        scored = run_grid(plants, setup, on_progress)
    name = without_folders(config.model_a)
    typed = [part for each in plant for part in ("--plant", each)]
    typed += [part for each in strength for part in ("--strength", f"{each:g}")]
    typed += [part for each in trigger for part in ("--trigger", each)]
    typed += ["--together", str(together)] if together > 1 else []
    settings = {key: value for key, value in settings_of(config).items() if key not in UNAVAILABLE}
    text = ResultText(
        title=f"Planted by system prompts in {name}",
        command=reproducing_command("diffing bench planted", [name, *typed], config),
        about=(
            "Both sides are the same model. Side B gets the instruction for a behaviour as a system prompt on the "
            "prompts that strength and trigger select by hash, so it is known for every pair whether it was planted."
        ),
        settings={"model": name, **settings},
    )
    show_planted(results_of(scored, text), out, "planted", markdown)
