"""The command `diffing card`: writes a report's findings into a model card, or shows or proposes that change."""

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
    model: Annotated[str, typer.Argument(help="The model whose card to change: org/name.", show_default=False)],
    *,
    commit: Annotated[bool, typer.Option("--commit", help="Write to the card; this needs write access.")] = False,
    pr: Annotated[
        bool, typer.Option("--pr", help="Propose the change in a pull request, at most one per model.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change; this is the default.")
    ] = False,
    dataset: Annotated[str | None, typer.Option("--dataset", help="The report's dataset, for a link.")] = None,
) -> None:
    """Write confirmed differences into a model card. Without a flag, it only shows what would change.

    It only ever changes the section between its two markers. It does not open a closed pull request again.
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
    # the library warns about cards that have no metadata anyway
    warnings.filterwarnings("ignore", message="Warnings while validating metadata")
    try:
        outcome = update_card(report, model, api=api, dataset=published, mode=mode)
    except HubError:
        if mode != "dry-run":
            print("The section, to copy by hand:\n", file=sys.stderr)
            print(plain(section(report, of=model, dataset=published)))
        raise
    if outcome.diff:
        print(plain(outcome.diff))
    print(" ".join(part for part in (outcome.said, outcome.url) if part), file=sys.stderr)


def _dataset_in(run: str) -> str | None:
    name = run.partition("@")[0]
    return name if _DATASET.fullmatch(name) else None
