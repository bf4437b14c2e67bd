"""`diffing card`: a section for a model's card."""

import re
import sys
import warnings
from typing import Annotated

import typer

from diffing.cli.push import signed_in
from diffing.cli.terminal_text import plain
from diffing.errors import HubError, SettingError
from diffing.paths import existing

_DATASET = re.compile(r"[\w.-]+/[\w.-]+")


def card(
    run: Annotated[str, typer.Argument(help="Folder of a report, or its dataset user/name.", show_default=False)],
    model: Annotated[str, typer.Argument(help="The model whose card it is: org/name.", show_default=False)],
    *,
    commit: Annotated[bool, typer.Option("--commit", help="Write to the card; needs write access.")] = False,
    pr: Annotated[bool, typer.Option("--pr", help="Propose it in a pull request; one per model.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change; the default.")] = False,
    dataset: Annotated[str | None, typer.Option("--dataset", help="The report's dataset, to link to.")] = None,
) -> None:
    """Put confirmed differences into a model's card. Without a flag it only shows what would change.

    Only the section between its two markers is ever written. A closed pull request is not opened again.
    """
    from diffing.hub import hub_api
    from diffing.outputs.card import Mode, section, update_card
    from diffing.report import load_report

    if commit + pr + dry_run > 1:
        raise SettingError("--commit, --pr and --dry-run exclude each other: give one of them")
    mode: Mode = "commit" if commit else "pr" if pr else "dry-run"
    published = dataset or (None if existing(run) else _dataset_in(run))
    report = load_report(run)
    api = hub_api() if mode == "dry-run" else signed_in()[0]
    # the library's, of cards that had no metadata before
    warnings.filterwarnings("ignore", message="Warnings while validating metadata")
    try:
        outcome = update_card(report, model, api=api, dataset=published, mode=mode)
    except HubError:
        if mode != "dry-run":
            print("The section, to be copied by hand:\n", file=sys.stderr)
            print(plain(section(report, of=model, dataset=published)))
        raise
    if outcome.diff:
        print(plain(outcome.diff))
    print(" ".join(part for part in (outcome.said, outcome.url) if part), file=sys.stderr)


def _dataset_in(run: str) -> str | None:
    name = run.partition("@")[0]
    return name if _DATASET.fullmatch(name) else None
