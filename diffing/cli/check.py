"""The command `diffing check`, and `--policy` of `diffing run`: fail if a report breaks a policy."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diffing.cli.shared_options import Json
from diffing.cli.terminal_text import plain, plain_json
from diffing.errors import SettingError
from diffing.paths import path_of

if TYPE_CHECKING:
    from typing import TextIO

    from diffing.policy import Policy, PolicyResult
    from diffing.report.model_names import ModelNames
    from diffing.types import Report

_SUMMARY = "GITHUB_STEP_SUMMARY"
"""GitHub's environment variable that names the file of a step's summary."""
_MOST_LINES = 20
"""Maximum number of differences printed for one rule."""

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        parser=path_of,
        metavar="PATH",
        help="Check the report against this policy file; exit code 1 if it is broken, 3 without enough evidence.",
        show_default=False,
    ),
]


def check(
    report: Annotated[str, typer.Argument(help="Folder of a report, or user/name on the Hub.", show_default=False)],
    *,
    policy: Annotated[Path, typer.Option("--policy", parser=path_of, metavar="PATH", help="The policy file (YAML).")],
    junit: Annotated[
        Path | None,
        typer.Option("--junit", parser=path_of, metavar="PATH", help="Write JUnit XML here.", show_default=False),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            "--summary",
            parser=path_of,
            metavar="PATH",
            help=f"Write a Markdown summary here. It is also added to ${_SUMMARY} if that is set.",
            show_default=False,
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Check a report against a policy: which differences are allowed, and how large.

    Exit code 0: every rule is shown to hold. 1: a confirmed difference breaks a rule. 3: there is not enough evidence.
    """
    from diffing.atomic_write import write_atomically
    from diffing.outputs.gate import as_json, policy_summary
    from diffing.outputs.gate import junit as junit_xml
    from diffing.policy import check_policy, read_policy
    from diffing.report import load_report
    from diffing.report.index import index_of

    rules = read_policy(policy)
    loaded = load_report(report)
    result, names = check_policy(loaded, rules), index_of(loaded).names
    if junit:
        write_atomically(junit_xml(result, names), junit)
    if summary:
        write_atomically(policy_summary(result, names).encode(), summary)
    _add_to_step(result, names)
    if json_:
        print(plain_json(as_json(result, names)))
    else:
        _print(result, names, sys.stdout)
    raise typer.Exit(int(result.outcome))


def end_with_policy(report: "Report", policy: "Policy") -> None:
    """Checks the report of a run against a policy, and ends the process with the policy's exit code.

    It prints on standard error, because the result of the run is on standard output.

    Args:
        report: The report.
        policy: The policy that was read before the run began.
    """
    from diffing.policy import check_policy
    from diffing.report.index import index_of

    result, names = check_policy(report, policy), index_of(report).names
    _add_to_step(result, names)
    _print(result, names, sys.stderr)
    raise typer.Exit(int(result.outcome))


def _print(result: "PolicyResult", names: "ModelNames", file: "TextIO") -> None:
    from diffing.outputs.gate import difference_in_words, rule_in_words, verdict
    from diffing.outputs.gate.policy_words import OUTCOMES, rule_title
    from diffing.policy.checking import CheckOutcome

    print(verdict(result), file=file)
    for each in result.rules:
        print(plain(f"\n{OUTCOMES[each.outcome]}: {rule_title(each, names)}"), file=file)
        print(rule_in_words(each), file=file)
        shown = [one for one in each.differences if one.outcome != CheckOutcome.KEPT]
        for one in shown[:_MOST_LINES]:
            print(plain(f"- {OUTCOMES[one.outcome]}: {difference_in_words(one, names)}"), file=file)
        if len(shown) > _MOST_LINES:
            print(f"- … and {len(shown) - _MOST_LINES:,} more", file=file)


def _add_to_step(result: "PolicyResult", names: "ModelNames") -> None:
    """Adds the summary to that of the step, if this is a step of GitHub Actions."""
    from diffing.outputs.gate import policy_summary

    if not (name := os.environ.get(_SUMMARY)):
        return
    try:
        with path_of(name).open("a", encoding="utf-8") as file:
            file.write(policy_summary(result, names))
    except OSError as error:
        raise SettingError(
            f"Cannot write {name}, which ${_SUMMARY} names: {error.strerror or error}. Unset it, or name another file"
        ) from None
