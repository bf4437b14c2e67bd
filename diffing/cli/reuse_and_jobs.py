"""Alternatives to computing a run on this machine: reuse a published diff, or run on Hugging Face Jobs."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.cli.push import account, publish, signed_in
from diffing.config import DiffConfig, HubOptions, Limits, local_files, settings_of
from diffing.errors import DiffingError, HubError, SettingError
from diffing.methods.plan import plans_of
from diffing.model_ref import ModelPlace, read_ref
from diffing.prompts.bundled_set import is_bundled

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from diffing.models.cache import Store
    from diffing.outputs.dataset import PublishedDiff, RunIdentity
    from diffing.types import Report

_KEYS = ("DIFFING_API_KEY", "OPENAI_API_KEY")


def check(options: HubOptions) -> None:
    """Refuses options that would fail or have no effect, before anything is computed.

    Raises:
        SettingError: An option lacks another one that it needs, or nobody is signed in to publish.
        HubError: The token is refused.
    """
    if options.on not in (None, "jobs"):
        raise SettingError(f"--on {options.on} is unknown: expected jobs")
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


def report_from_elsewhere(
    config: DiffConfig, limits: Limits, options: HubOptions, store: "Store | None"
) -> tuple["Report | None", bool]:
    """Gets the report without computing it here, if the options allow that.

    Returns:
        The report, or None if it must be computed here; and whether it is already published as the options ask.

    Raises:
        DiffingError: The user can fix the problem; the message is one line.
    """
    found = _reused(config, store) if options.reuse else None
    if found is None and options.on:
        return _by_job(config, limits, options), True
    return found, False


def publish_run(report: "Report", options: HubOptions, out: Path) -> None:
    """Publishes the report of a run if the options ask for it.

    Raises:
        DiffingError: The Hub refuses or cannot be reached; the report is kept.
    """
    if options.push is None:
        return
    try:
        publish(report, options.push, private=options.private, collection=options.collection, overwrite=False)
    except DiffingError as error:
        again = f"diffing push {out} {options.push}"
        raise HubError(f"{str(error).rstrip('.')}. The report is kept; to publish it: {again}") from None


def _reused(config: DiffConfig, store: "Store | None") -> "Report | None":
    from diffing.outputs.dataset import RunIdentity, find_published, settings_digest
    from diffing.run import model_ids
    from diffing.versions import versions

    if reason := _only_here(config):
        _say(f"not reused: {reason}")
        return None
    digest = settings_digest(settings_of(config), versions().get("diffing", ""))
    identity = RunIdentity(*model_ids(config, store), digest)
    api, name = account()
    found = find_published(api, identity, mine=name)
    if found is None:
        _say("no published diff of these models, commits and settings: computing it")
        return None
    report, problem = _checked(config, identity, found, api)
    if problem:
        _say(f"{found.repo_id} is not reused, {problem}: computing it")
        return None
    _say(f"reused {found.repo_id} at commit {found.commit[:7]}: nothing was computed here")
    if found.repo_id.partition("/")[0] != name:
        _say("somebody else published it, and it was not checked by computing it again")
    if served := [spec for spec in _specs(config) if read_ref(spec).place == ModelPlace.PROVIDERS]:
        _say(f"the report shows {served[0]} as its provider served it then; it may be another model by now")
    return report


def _only_here(config: DiffConfig) -> str | None:
    """Says why a run of somebody else cannot be known to be the same; returns None if it can."""
    if files := local_files(config):
        return f"{files[0]} is a file on this machine, and a published diff contains only its name"
    for spec in _specs(config):
        place = read_ref(spec).place
        if place in (ModelPlace.OPENAI, ModelPlace.RECORDED):
            return f"a name after {place}: can mean another model elsewhere"
    return None


def _checked(
    config: DiffConfig, identity: "RunIdentity", found: "PublishedDiff", api: "HfApi"
) -> tuple["Report | None", str | None]:
    """Loads a published report and checks that it can be reused; returns the reason if it cannot."""
    from diffing.outputs.dataset import identity_of, outdated_source
    from diffing.report import load_report

    try:
        report = load_report(f"{found.repo_id}@{found.commit}", api.token)
        if identity_of(report) != identity:
            return None, "since it is not what its card says"
        other = outdated_source(report, _specs(config), config.prompts, api)
    except DiffingError as error:
        return None, f"since it is unknown whether it is the same ({error})"
    if other is None and not _of_this_set(config, report):
        other = "the set of prompts that comes with diffing"
    return report, None if other is None else f"since {other} is not the same any more"


def _of_this_set(config: DiffConfig, report: "Report") -> bool:
    """Whether a report's prompts equal those of this installation; true if they do not come with the package."""
    if config.suspect or not is_bundled(config.prompts or "bundled"):
        return True
    from diffing.run_prompts import load_run_prompts

    here = {(prompt.id, prompt.split): prompt.messages for prompt in load_run_prompts(config, ())}
    return all(here.get((pair.prompt.id, pair.prompt.split)) == pair.prompt.messages for pair in report.pairs)


def _say(text: str) -> None:
    print(f"diffing: {text}", file=sys.stderr)


def _by_job(config: DiffConfig, limits: Limits, options: HubOptions) -> "Report":
    from diffing.hub_jobs import command_for, run_on_jobs
    from diffing.report import load_report

    command = command_for(config, limits, options)
    api, token = signed_in()
    keys = _KEYS if any(read_ref(spec).place == ModelPlace.OPENAI for spec in _specs(config)) else ()
    secrets = {"HF_TOKEN": token} | {key: os.environ[key] for key in keys if key in os.environ}
    run_on_jobs(command, options=options, secrets=secrets, api=api, on_line=_show_line)
    return load_report(str(options.push), token)


def _specs(config: DiffConfig) -> list[str]:
    helpers = (config.llm, config.judge, config.second_judge, *config.rater, config.embedder)
    loaded = [spec for plan in plans_of(config) for spec in plan.loads(config).values()]
    named = (config.model_a, config.model_b, *helpers, *loaded)
    return [spec for spec in named if spec]


def _show_line(line: str) -> None:
    """Prints a line of the job's output without control characters."""
    print("".join(sign if sign.isprintable() else " " for sign in line), file=sys.stderr)
