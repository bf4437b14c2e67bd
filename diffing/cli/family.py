"""The command `diffing family`: compares several models with each other, every two on the same prompts."""

import json
import re
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from diffing.cli.existing_report import refuse_other_run
from diffing.cli.flags import build, with_flags
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Cache, Json
from diffing.cli.terminal_text import plain, plain_json
from diffing.config import DiffConfig, Limits, settings_of
from diffing.errors import SettingError
from diffing.paths import existing, path_of

if TYPE_CHECKING:
    from diffing.family import Family
    from diffing.types import Report

_OWN = (
    *("model_a", "model_b", "sample_a", "sample_b", "columns_a", "columns_b"),
    *(f"{name}_{side}" for name in ("system_prompt", "chat_template", "quantization") for side in "ab"),
)
"""Settings for which this command has no flag, because they are those of one side."""
PAGE, DATA = "family.html", "family.json"
"""The names of the page and of the JSON file in the output folder."""
_PAIR = re.compile(r"pair-([1-9][0-9]?)-([1-9][0-9]?)")


@with_flags(DiffConfig, Limits, without=_OWN)
def family(
    *,
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN_OR_MODEL...",
            help="2 to 12 models, in order if they are steps of one development; a report's folder stands for its two.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", parser=path_of, metavar="PATH", help="Folder for the result.")] = Path(
        "runs/family"
    ),
    cache: Cache = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace reports of other runs in the folder.")
    ] = False,
    json_: Json = False,
    **values: Any,
) -> None:
    """Compare several models with each other: how far apart they are, a tree, and what separates its branches.

    Every model answers each prompt once. Limits on calls and dollars hold for all pairs together.
    """
    from diffing.atomic_write import write_atomically
    from diffing.family import family_of
    from diffing.outputs.family import family_json, family_page

    specs = _specs(models)
    config, limits = build(DiffConfig, values, model_a=specs[0], model_b=specs[1]), build(Limits, values)
    runs = {
        pair: replace(config, model_a=specs[pair[0]], model_b=specs[pair[1]])
        for pair in combinations(range(len(specs)), 2)
    }
    if not overwrite:
        for pair, one in runs.items():
            refuse_other_run(out / _folder(pair), settings_of(one))
    reports = _reports(runs, limits, cache, out)
    links = {pair: f"{_folder(pair)}/report.html" for pair in reports}
    found = family_of(reports)
    write_atomically(family_page(found, links).encode(), out / PAGE)
    told = family_json(found)
    write_atomically(f"{json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode(), out / DATA)
    if json_:
        print(plain_json(told))
    else:
        _print(found)
        print(f"Page: {out / PAGE}", file=sys.stderr)


def _specs(given: list[str]) -> list[str]:
    """The model strings of all models, each once."""
    from diffing.family import FEWEST, MOST

    specs = list(dict.fromkeys(spec for each in given for spec in _of_report(each) or (each,)))
    if not FEWEST <= len(specs) <= MOST:
        raise SettingError(f"{len(specs)} different models were given: expected {FEWEST} to {MOST}")
    return specs


def _of_report(given: str) -> tuple[str, ...]:
    """The model strings of a report's two models; empty if it is not the folder of a report.

    Raises:
        SettingError: The report does not say what its models were, or keeps only the name of a file or folder.
    """
    from diffing.model_ref import as_asked_again
    from diffing.report import load_report

    folder = existing(given)
    if folder is None or not (folder / "report.json").exists():
        return ()
    report = load_report(folder)
    if not {"model_a", "model_b"} <= report.settings.keys():
        raise SettingError(f"{folder} does not say how its models were loaded. Give the two models instead")
    found = []
    for name, answered in (("model_a", report.model_a), ("model_b", report.model_b)):
        spec = str(report.settings[name])
        again = as_asked_again(spec, answered.ref)
        if again is None:
            raise SettingError(
                f"{folder} keeps only the name {spec!r} of a file or folder, and nothing of that name is here. Give "
                "the two models instead"
            )
        found.append(again)
    return tuple(found)


def _folder(pair: tuple[int, int]) -> str:
    return f"pair-{pair[0] + 1}-{pair[1] + 1}"


def family_in(given: str) -> "Family | None":
    """The family in a folder that `diffing family` wrote; None if it is no such folder.

    Raises:
        SettingError: The report of a pair is missing or cannot be read.
    """
    from diffing.family import MOST, family_of
    from diffing.outputs.address_removal import public_report
    from diffing.report import load_report

    folder = existing(given)
    if folder is None or (folder / "report.json").exists() or not (folder / DATA).exists():
        return None
    found = [match for each in folder.iterdir() if (match := _PAIR.fullmatch(each.name))]
    number = max((int(match[2]) for match in found), default=0)
    pairs = list(combinations(range(number), 2))
    missing = [pair for pair in pairs if not (folder / _folder(pair)).is_dir()]
    if missing or not 1 < number <= MOST:
        lacks = _folder(missing[0] if missing else (0, 1))
        raise SettingError(f"{folder} lacks the report {lacks}: expected one for each two models. Run the family again")
    return family_of({pair: public_report(load_report(folder / _folder(pair))) for pair in pairs})


def _reports(
    runs: dict[tuple[int, int], DiffConfig], limits: Limits, cache: Path | None, out: Path
) -> "dict[tuple[int, int], Report]":
    """Compares each pair, and saves each report in a folder of its own."""
    from diffing.models.cache import Store, default_store
    from diffing.outputs.html import write_html
    from diffing.report import save_report
    from diffing.run import meter_of, run

    store, meter = Store.in_folder(cache) if cache else default_store(), meter_of(limits)
    reports = {}
    with progress_bars(Console(stderr=True)) as on_progress:
        for pair, one in runs.items():
            reports[pair] = run(one, limits=limits, store=store, meter=meter, on_progress=on_progress)
            folder = save_report(reports[pair], out / _folder(pair))
            write_html(reports[pair], folder / "report.html")
    return reports


def _print(found: "Family") -> None:
    from diffing.outputs.family import separation_in_words
    from diffing.outputs.figures.tree import described
    from diffing.outputs.phrasing import count, percent, shares

    for pair in found.pairs:
        names = f"{found.names[pair.first]} and {found.names[pair.second]}"
        told = f"told apart in {percent(pair.told_apart.value)} ({shares(pair.told_apart)})"
        print(plain(f"{names}: {told}, {count(pair.confirmed, 'confirmed difference')}"))
    print(plain(described(found)))
    for own in found.unique:
        for each in own[:3]:
            print(plain(f"- {separation_in_words(found, each)}"))
    for note in found.notes:
        print(f"Note: {note}")
