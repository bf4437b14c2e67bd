"""The commands `diffing push` and `diffing list`: publish a report as a Hub dataset, and list published ones."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diffing.cli.shared_options import Cache, Json
from diffing.cli.terminal_text import plain, plain_json
from diffing.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huggingface_hub import HfApi

    from diffing.family import Family
    from diffing.outputs.dataset import PushResult
    from diffing.types import Report


def push(
    run: Annotated[
        str, typer.Argument(help="Folder of a report or of a family, or a published report.", show_default=False)
    ],
    name: Annotated[str, typer.Argument(help="The dataset: user/name.", show_default=False)],
    *,
    private: Annotated[bool, typer.Option("--private", help="Make the dataset private.")] = False,
    collection: Annotated[
        bool, typer.Option("--collection", help="Also add it to your collection of each model's diffs.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a diff of other models.")] = False,
    dictionary: Annotated[
        str | None,
        typer.Option(
            "--dictionary",
            metavar="ORG/NAME",
            help="Also publish the crosscoder or adapters that the run trained, as this model.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the card and the files, and upload nothing.")
    ] = False,
    cache: Cache = None,
) -> None:
    """Publish a report as a dataset: findings, responses, judgements and a card, in one commit.

    Pushing the same report again makes no commit. Pushing another run of the same two models updates the dataset. A
    family of models is published as tables of its pairs and differences, with a matrix and without responses.
    """
    from diffing.cli.family import family_in
    from diffing.report import load_report

    if (family := family_in(run)) is not None:
        if collection or dictionary:
            raise SettingError("--collection and --dictionary are for a report of two models. Leave them out")
        _publish_family(family, name, private=private, overwrite=overwrite, dry_run=dry_run)
        return
    report = load_report(run)
    trainings = _trainings_in(cache) if dictionary else None
    if trainings:  # refuses before anything is published
        from diffing.outputs.dictionary import dictionary_of

        dictionary_of(report, trainings)
    if dry_run:
        _show_files(report, name)
        return
    publish(report, name, private=private, collection=collection, overwrite=overwrite)
    if dictionary and trainings:
        _publish_dictionary(report, trainings, dictionary, private=private, overwrite=overwrite)


def _publish_family(family: "Family", name: str, *, private: bool, overwrite: bool, dry_run: bool) -> None:
    from diffing.outputs.family.dataset import family_files, push_family

    if dry_run:
        _show(family_files(family))
        return
    api, _ = signed_in()
    _tell(push_family(family, name, api=api, private=private, overwrite=overwrite))


def _trainings_in(cache: Path | None) -> Path:
    from diffing.models.cache import Store, default_store

    return (Store.in_folder(cache) if cache else default_store()).trainings


def _publish_dictionary(report: "Report", trainings: Path, name: str, *, private: bool, overwrite: bool) -> None:
    from diffing.outputs.dictionary import push_dictionary

    api, _ = signed_in()
    pushed = push_dictionary(report, trainings, name, api=api, private=private, overwrite=overwrite)
    if pushed.private_as:
        print(f"The dictionary is private, because {pushed.private_as} is private", file=sys.stderr)
    what = "Published" if pushed.changed else "Already published, nothing has changed"
    print(f"{what}: {pushed.url} (commit {pushed.commit[:7]})", file=sys.stderr)


def list_(
    *,
    model: Annotated[str | None, typer.Option("--model", help="Only diffs of this model: org/name.")] = None,
    json_: Json = False,
) -> None:
    """List the diffs that are published on the Hub."""
    from diffing.outputs.dataset import list_reports

    api, _ = account()
    found = list_reports(api, model)
    if json_:
        rows = [
            {"dataset": each.repo_id, "commit": each.commit, "model_a": each.identity.model_a,
             "model_b": each.identity.model_b, "settings": each.identity.settings, "changed": each.changed}
            for each in found
        ]  # fmt: skip
        print(plain_json(rows))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("dataset", "model A", "model B", "changed"):
        table.add_column(title, overflow="fold")
    for each in found:
        cells = (each.repo_id, each.identity.model_a, each.identity.model_b, each.changed or "-")
        table.add_row(*(Text(plain(text)) for text in cells))
    Console().print(table if found else "There is no published diff that you can see.")


def publish(report: "Report", name: str, *, private: bool, collection: bool, overwrite: bool) -> None:
    """Pushes a report and prints the outcome on standard error.

    Raises:
        DiffingError: Nobody is signed in, or the Hub refuses.
    """
    from huggingface_hub.utils import logging

    from diffing.outputs.dataset import add_to_collections, push_report
    from diffing.types import SIDES

    logging.set_verbosity_error()  # type: ignore[no-untyped-call] # the lines below say what it would warn about
    api, _ = signed_in()
    pushed = push_report(report, name, api=api, private=private or None, overwrite=overwrite)
    if prompted := [side.upper() for side in SIDES if f"system_prompt_{side}" in report.settings]:
        print(f"The published dataset contains the system prompt of {' and '.join(prompted)}", file=sys.stderr)
    _tell(pushed)
    if collection:
        for url in add_to_collections(api, name, (report.model_a, report.model_b)):
            print(f"Added to the collection {url}", file=sys.stderr)


def _tell(pushed: "PushResult") -> None:
    if pushed.private_as:
        print(f"The dataset is private, because {pushed.private_as} is private", file=sys.stderr)
    what = "Published" if pushed.changed else "Already published, nothing has changed"
    print(f"{what}: {pushed.url} (commit {pushed.commit[:7]})", file=sys.stderr)


def account() -> tuple["HfApi", str | None]:
    """Returns a Hub client for the signed-in account and its name; an anonymous client and None without an account."""
    from huggingface_hub import get_token

    from diffing.hub import hub_api, user_name

    token = get_token()
    api = hub_api(token or False)
    return api, user_name(api) if token else None


def signed_in() -> tuple["HfApi", str]:
    """Returns a Hub client for the signed-in account, and its token.

    Raises:
        SettingError: Nobody is signed in.
    """
    from huggingface_hub import get_token

    from diffing.hub import hub_api

    token = get_token()
    if token is None:
        raise SettingError("Publishing needs an account on the Hub: run `hf auth login`, or set HF_TOKEN")
    return hub_api(token), token


def _show_files(report: "Report", name: str) -> None:
    from diffing.outputs.dataset import dataset_files

    _show(dataset_files(report, name))


def _show(files: "Mapping[str, bytes]") -> None:
    print(plain(files["README.md"].decode()))
    for path, content in files.items():
        print(f"{len(content):>12,}  {path}", file=sys.stderr)
