"""The main commands (`run`, `demo`, `estimate`, `show`), and the entry point that turns errors into one line."""

import errno
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler

from diffing import __version__
from diffing.cli.annotate import annotate
from diffing.cli.ask import ask
from diffing.cli.card import card
from diffing.cli.check import PolicyFile, check, end_with_policy
from diffing.cli.export import export
from diffing.cli.family import family
from diffing.cli.flags import build, with_flags
from diffing.cli.prompts import prompts_app
from diffing.cli.push import list_, push
from diffing.cli.run_and_save import RunOutput, run_and_save
from diffing.cli.serve import serve
from diffing.cli.shared_options import Cache, Json
from diffing.cli.show import show_report
from diffing.cli.terminal_text import PlainFormatter, plain, plain_json
from diffing.config import DiffConfig, HubOptions, Limits, default_out
from diffing.errors import DiffingError
from diffing.paths import path_of

if TYPE_CHECKING:
    from diffing.policy import Policy

app = typer.Typer(
    help="Find out how two language models behave differently, with every difference tested on held-out prompts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_err = Console(stderr=True)

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
    rules = _rules(policy) if policy else None  # before the run, so that a mistake shows before anything is paid
    report = run_and_save(config, limits, hub, RunOutput(out or default_out(config), cache, overwrite, json_))
    if rules and report:
        end_with_policy(report, rules)


def _rules(file: Path) -> "Policy":
    from diffing.policy import read_policy

    return read_policy(file)


@app.command()
def demo(*, out: Out = Path("runs/demo"), cache: Cache = None, json_: Json = False) -> None:
    """Compare two tiny models that come with the package, without account or network, in a minute or two."""
    from diffing.demo.config import AFTERWORD, demo_config

    here = RunOutput(out or Path("runs/demo"), cache, overwrite=True, json=json_)
    run_and_save(demo_config(), Limits(), HubOptions(), here)
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
        print(plain_json(estimated.as_dict()))
    else:
        Console().print(estimate_table(estimated))


@app.command()
def show(
    report: Annotated[str, typer.Argument(help="Folder of a report, or user/name on the Hub.", show_default=False)],
    *,
    json_: Json = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show also words and phrases, internal features and what was not confirmed.")
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
        show_report(loaded, json_, everything=everything)
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


def main(arguments: list[str] | None = None, *, commands: typer.Typer = app) -> None:
    """Runs the CLI. Errors that a user can fix give one line on standard error and exit code 2, without a traceback.

    Args:
        arguments: The command-line arguments; None for those of the process.
        commands: The available commands.
    """
    handler = RichHandler(console=_err, show_path=False, show_time=False)
    handler.setFormatter(PlainFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    _quiet_hub()
    try:
        commands(args=arguments)
    except DiffingError as error:
        _fail(" ".join(str(error).split()))
    except OSError as error:
        line = full_disk(error)
        if line is None:
            raise
        _fail(line)


def _quiet_hub() -> None:
    """Keeps huggingface_hub from printing two lines for every attempt of a request: one of ours says what failed.

    The library sets the level of its logger when it is imported, so both are needed.
    """
    level = os.environ.setdefault("HF_HUB_VERBOSITY", "error")
    if level == "error":
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def full_disk(error: OSError) -> str | None:
    """Says that no disk space is left, and what to do; None if an error means something else."""
    if error.errno not in _FULL:
        return None
    return f"No disk space is left ({error.strerror}). Free some space; the same command continues from there"


def _fail(line: str) -> NoReturn:
    print(plain(f"diffing: {line}"), file=sys.stderr)
    sys.exit(2)
