"""The main commands (`run`, `demo`, `estimate`, `show`), and the entry point that turns errors into one line."""

import errno
import json
import logging
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.text import Text

from diffing import __version__
from diffing.cli.annotate import annotate
from diffing.cli.ask import ask, print_asked
from diffing.cli.card import card
from diffing.cli.check import PolicyFile, check, end_with_policy
from diffing.cli.existing_report import completes, readable, refuse_other_run
from diffing.cli.export import export
from diffing.cli.family import family
from diffing.cli.flags import build, with_flags
from diffing.cli.progress import progress_bars
from diffing.cli.prompts import prompts_app
from diffing.cli.push import list_, push
from diffing.cli.serve import serve
from diffing.cli.shared_options import Cache, Json
from diffing.cli.terminal_text import PlainFormatter, ignore_closed_pipe, plain, plain_json
from diffing.config import DiffConfig, HubOptions, Limits, default_out, may_be_files, settings_of
from diffing.errors import DiffingError, SettingError
from diffing.model_ref import is_recorded, without_folders
from diffing.paths import path_of
from diffing.settings import flag

if TYPE_CHECKING:
    from diffing.models.cache import Store
    from diffing.models.process_group import ProcessGroup
    from diffing.policy import Policy
    from diffing.types import Report

app = typer.Typer(
    help="Find out how two language models behave differently, with every difference tested on held-out prompts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_err = Console(stderr=True)
EXCLUDED_FROM_SELF_COMPARISON = ("model_a", "model_b", "chat_template_b")
"""Settings that a comparison of A with itself sets differently or does not have."""
MAX_FINDINGS_AFTER_RUN = 25
"""Maximum number of differences printed at the end of a run; `diffing show` prints all."""
NOTE_LENGTH = 2_000
"""Maximum number of characters of a note in the terminal."""

_PAGE = "report.html"
"""The name of the report's page in its folder."""
_BEGIN = "begin"
"""The topic under which the first of several processes tells the others whether the run must be computed."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The system's error numbers for a full disk, an exceeded quota and a file that is too large."""

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", parser=path_of, metavar="PATH", help="Folder for the report.", show_default="runs/<a>-vs-<b>"
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the report of another run in the same folder.")]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
@with_flags(DiffConfig, Limits, HubOptions)
def run(
    *,
    out: Out = None,
    cache: Cache = None,
    overwrite: Overwrite = False,
    policy: PolicyFile = None,
    json_: Json = False,
    **values: Any,
) -> None:
    """Compare two models: generate responses, find hypotheses, test them on held-out prompts, write a report.

    To continue a run that was killed or reached a limit, run the same command again.
    """
    config, limits, hub = build(DiffConfig, values), build(Limits, values), build(HubOptions, values)
    rules = _policy(policy)
    report = _run(config, limits, hub, _RunOutput(out or default_out(config), cache, overwrite, json_))
    if rules and report:
        end_with_policy(report, rules)


@app.command()
def demo(*, out: Out = Path("runs/demo"), cache: Cache = None, json_: Json = False) -> None:
    """Compare two tiny models that come with the package, without account or network, in a minute or two."""
    from diffing.demo.config import AFTERWORD, demo_config

    here = _RunOutput(out or Path("runs/demo"), cache, overwrite=True, json=json_)
    _run(demo_config(), Limits(), HubOptions(), here)
    if not json_:
        _err.print(AFTERWORD)


@app.command()
@with_flags(DiffConfig, Limits)
def estimate(*, json_: Json = False, **values: Any) -> None:
    """Estimate calls, tokens, dollars and minutes per stage before anything is paid."""
    from diffing.cli.terminal_tables import estimate_table
    from diffing.estimate import estimate as estimate_run

    config, limits = build(DiffConfig, values), build(Limits, values)
    logging.getLogger("diffing").setLevel(logging.INFO)  # shows in which format recorded responses are read
    estimated = estimate_run(config, limits)
    if json_:
        print(json.dumps(estimated.as_dict(), indent=2, ensure_ascii=False))
    else:
        Console().print(estimate_table(estimated))


@app.command()
def show(
    report: Annotated[str, typer.Argument(help="Folder of a report, or user/name on the Hub.", show_default=False)],
    *,
    json_: Json = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show also words and phrases, SAE features and what was not confirmed.")
    ] = False,
    explained: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="PROPERTY",
            help="Print what this measured property counts, such as refusals, with examples from the report.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the differences that a report confirms."""
    from diffing.report import load_report

    loaded = load_report(report)
    if explained is None:
        _show(loaded, json_, everything=everything)
    else:
        from diffing.cli.explain import explain

        explain(loaded, explained, json_)


app.command()(ask)
app.command()(check)
app.command()(export)
app.command()(family)
app.command()(push)
app.command("list")(list_)
app.command()(card)
app.command()(serve)
app.command()(annotate)
app.add_typer(prompts_app, name="prompts")


@app.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def bench(context: typer.Context) -> None:
    """Test how well the methods work on your models: false alarms, planted differences, comparisons."""
    # imported only now, because its commands have all flags of a run, which take time to build
    from diffing.cli.bench import bench_app

    bench_app(args=context.args, prog_name=context.command_path)


@dataclass(frozen=True, slots=True)
class _RunOutput:
    """Where one run writes its files, and how it prints its result."""

    out: Path
    """Folder for the report."""
    cache: Path | None
    """Folder of the completion cache; None for the user's default."""
    overwrite: bool
    """Whether to replace the report of another run."""
    json: bool
    """Whether to print JSON."""


def _policy(path: Path | None) -> "Policy | None":
    """Reads the policy before the run, so that a mistake in it shows before anything is paid."""
    if path is None:
        return None
    from diffing.policy import read_policy

    return read_policy(path)


def _run(config: DiffConfig, limits: Limits, hub: HubOptions, here: _RunOutput) -> "Report | None":
    """Runs, saves and prints; returns the report, or None in a process other than the first of several."""
    from diffing.checks import check
    from diffing.cli import reuse_and_jobs
    from diffing.models.cache import Store
    from diffing.models.process_group import started_group
    from diffing.report.folder_lock import locked_folder

    check(config, limits)
    reuse_and_jobs.check(hub)
    group = started_group()
    if group and not group.is_first:
        _contribute(config, limits, here, group)
        return None
    _make_folder(here.out)
    with locked_folder(here.out, on_wait=lambda: _tell_waiting(here.out)):
        if not here.overwrite:
            refuse_other_run(here.out, settings_of(config))
        store = Store.in_folder(here.cache) if here.cache else None
        found, published = reuse_and_jobs.report_from_elsewhere(config, limits, hub, store)
        if group:
            group.exchange(_BEGIN, found is None)
        before = None if here.overwrite else readable(here.out)
        report = found or _computed(config, limits, store, group, before)
        if before and report is not before:
            from diffing.report.asked_tables import asked_of, with_asked

            report = with_asked(report, asked_of(before))
        if report is not before or not (here.out / _PAGE).exists():
            _save(report, before, here)
    with ignore_closed_pipe():
        _show(report, here.json, MAX_FINDINGS_AFTER_RUN)
    if not here.json:
        _err.print(f"Report: {here.out / _PAGE}", highlight=False, markup=False, soft_wrap=True)
        _tell_calibration(config, here.out)
    if not published:
        reuse_and_jobs.publish_run(report, hub, here.out)
    return report


def _contribute(config: DiffConfig, limits: Limits, here: _RunOutput, group: "ProcessGroup") -> None:
    """Does the share of a process other than the first, which alone prints, and writes the report."""
    from diffing.models.cache import Store
    from diffing.run import contribute

    store = Store.in_folder(here.cache) if here.cache else None
    if group.exchange(_BEGIN, True)[0]:
        contribute(config, group, limits=limits, store=store)


def _save(report: "Report", before: "Report | None", here: _RunOutput) -> None:
    from diffing.outputs.html import write_html
    from diffing.report import save_report

    completed = completes(here.out, before, report) if before else None
    save_report(report, here.out)
    write_html(report, here.out / _PAGE)
    if completed:
        _err.print(f"Completed: {completed} are in the report now.", highlight=False, markup=False, soft_wrap=True)


def _tell_waiting(out: Path) -> None:
    _err.print(
        f"Another run is writing its report to {out}. This run waits for it to end. Give another --out to run both.",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


def _tell_calibration(config: DiffConfig, out: Path) -> None:
    """Prints a command that measures false alarms of such a run; recorded responses cannot be sampled again."""
    if is_recorded(config.model_a):
        return
    command = shlex.join(calibration(config, out))
    _err.print(f"Calibrate on A against A: {command}", highlight=False, markup=False, soft_wrap=True, style="dim")


def calibration(config: DiffConfig, out: Path) -> list[str]:
    """Returns the command that compares A with itself with the settings of a run.

    It repeats settings that name files or folders, because the report keeps only the last part of such a path.

    Args:
        config: The config of the run.
        out: The folder of its report.
    """
    flags: list[str] = []
    for name in may_be_files():
        given = getattr(config, name) or ()
        values = (given,) if isinstance(given, str) else given
        if name not in EXCLUDED_FROM_SELF_COMPARISON and any(without_folders(value) != value for value in values):
            flags += [part for value in values for part in (flag(name), value)]
    model = [config.model_a] if without_folders(config.model_a) != config.model_a else []
    return ["diffing", "bench", "null", *model, "--like", str(out), *flags]


def _computed(
    config: DiffConfig, limits: Limits, store: "Store | None", group: "ProcessGroup | None", before: "Report | None"
) -> "Report":
    from diffing.run import run as run_config

    logging.getLogger("diffing").setLevel(logging.INFO)  # shows the sizes of the models before they are loaded
    with progress_bars(_err) as on_progress:
        return run_config(config, limits=limits, store=store, group=group, before=before, on_progress=on_progress)


def _make_folder(out: Path) -> None:
    """Creates the folder early, so that a failure shows before anything is paid."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"The folder {out} cannot be created ({error.strerror}). Give another --out") from None


def _show(report: "Report", json_: bool, most: int | None = None, *, everything: bool = False) -> None:
    from diffing.cli.terminal_tables import findings_list
    from diffing.outputs.headline import statements
    from diffing.outputs.phrasing import explanation, one_line
    from diffing.report import report_summary
    from diffing.report.index import index_of
    from diffing.responses import cut_note

    if json_:
        print(plain_json(report_summary(report)))
        return
    console = Console()
    if cut := cut_note(report.pairs):  # readers must know this before they believe a finding
        console.print(Text(cut, style="yellow"))
    for statement in statements(report):
        console.print(Text(plain(f"{statement}."), style="bold"))
    console.print(Text(explanation(report)))
    for note in (each for each in report.notes if each != cut):
        console.print(Text(one_line(f"Note: {note}", NOTE_LENGTH), style="dim"))
    console.print(findings_list(report, console.width, most=most, everything=everything))
    if asked := index_of(report).asked:
        print_asked(list(asked), asked, report)


def main(arguments: list[str] | None = None, *, commands: typer.Typer = app) -> None:
    """Runs the CLI. Errors that a user can fix give one line on standard error and exit code 2, without a traceback.

    Args:
        arguments: The command-line arguments; None for those of the process.
        commands: The available commands.
    """
    handler = RichHandler(console=_err, show_path=False, show_time=False)
    handler.setFormatter(PlainFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        commands(args=arguments)
    except DiffingError as error:
        _fail(" ".join(str(error).split()))
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _fail(f"No disk space is left ({error.strerror}). Free some space; the same command continues from there")


def _fail(line: str) -> NoReturn:
    print(plain(f"diffing: {line}"), file=sys.stderr)
    sys.exit(2)
