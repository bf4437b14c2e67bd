"""What `diffing run` does instead of computing here: take a published diff, or let a job compute it."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.cli.push import account, publish, signed_in
from diffing.config import DiffConfig, HubOptions, Limits, local_files, settings_of
from diffing.errors import DiffingError, HubError, SettingError

if TYPE_CHECKING:
    from diffing.models.cache import Store
    from diffing.types import Report

_KEYS = ("DIFFING_API_KEY", "OPENAI_API_KEY")


def check(options: HubOptions) -> None:
    """Refuses what can be known to fail, or to be ignored, before anything is computed.

    Raises:
        SettingError: One option without the other that it needs, or nobody is signed in to publish.
        HubError: The token is refused.
    """
    if options.on not in (None, "jobs"):
        raise SettingError(f"--on {options.on} is not known: expected jobs")
    if options.flavor and not options.on:
        raise SettingError("--flavor has no effect without --on jobs. Add it, or leave --flavor out")
    for name in ("private", "collection"):
        if getattr(options, name) and not options.push:
            raise SettingError(f"--{name} has no effect without --push user/name. Add it, or leave --{name} out")
    if options.push:
        from diffing.hub import namespaces

        owner, _, name = options.push.partition("/")
        mine = namespaces(signed_in()[0])
        if owner not in mine or not name:
            raise SettingError(f"--push is {options.push!r:.100}: expected one of your names, as in {mine[0]}/diff")


def instead(
    config: DiffConfig, limits: Limits, options: HubOptions, store: "Store | None"
) -> tuple["Report | None", bool]:
    """The report, where it need not be computed here, and whether it is published already where it was asked to be.

    Raises:
        DiffingError: Anything the user can mend, in one line.
    """
    found = _reused(config, store) if options.reuse else None
    if found is None and options.on:
        return _by_job(config, limits, options), True
    return found, False


def publish_run(report: "Report", options: HubOptions, out: Path) -> None:
    """Publishes the report of a run, where that was asked for.

    Raises:
        DiffingError: Refused or out of reach; the report is kept.
    """
    if options.push is None:
        return
    try:
        publish(report, options.push, private=options.private, collection=options.collection, overwrite=False)
    except DiffingError as error:
        again = f"diffing push {out} {options.push}"
        raise HubError(f"{error} The report is kept; to publish it: {again}") from None


def _reused(config: DiffConfig, store: "Store | None") -> "Report | None":
    from diffing.outputs.dataset import Identity, find_published, identity_of, settings_digest
    from diffing.report import load_report
    from diffing.run import model_ids
    from diffing.versions import versions

    if files := local_files(config):
        print(f"diffing: not reused: {files[0]} is a file of this machine, others know only its name", file=sys.stderr)
        return None
    digest = settings_digest(settings_of(config), versions().get("diffing", ""))
    wanted = Identity(*model_ids(config, store), digest)
    api, name = account()
    found = find_published(api, wanted, mine=name)
    if found is None:
        print("diffing: no published diff of these models, commits and settings: computing it", file=sys.stderr)
        return None
    report = load_report(f"{found.repo_id}@{found.commit}", api.token)
    if identity_of(report) != wanted:
        print(f"diffing: {found.repo_id} is not what its card says: computing it", file=sys.stderr)
        return None
    print(f"diffing: reused {found.repo_id} at commit {found.commit[:7]}: nothing was computed here", file=sys.stderr)
    return report


def _by_job(config: DiffConfig, limits: Limits, options: HubOptions) -> "Report":
    from diffing.jobs import command_for, run_on_jobs
    from diffing.report import load_report

    command = command_for(config, limits, options)
    api, token = signed_in()
    keys = _KEYS if any(spec.startswith("openai:") for spec in _specs(config)) else ()
    secrets = {"HF_TOKEN": token} | {key: os.environ[key] for key in keys if key in os.environ}
    run_on_jobs(command, options=options, secrets=secrets, api=api, on_line=_show_line)
    return load_report(str(options.push), token)


def _specs(config: DiffConfig) -> list[str]:
    named = (config.model_a, config.model_b, config.llm, config.judge, config.second_judge, *config.rater)
    return [spec for spec in named if spec]


def _show_line(line: str) -> None:
    """A line of the job's output, without what a terminal would obey."""
    print("".join(sign if sign.isprintable() else " " for sign in line), file=sys.stderr)
