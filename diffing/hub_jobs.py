"""Runs `diffing run` on a machine of Hugging Face Jobs: builds the command, submits the job and follows its log.

The job publishes its report with `--push`. Tokens and keys are sent as job secrets, which the Hub does not show.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from huggingface_hub import HfApi, JobInfo

from diffing.config import DiffConfig, HubOptions, Limits, local_files
from diffing.errors import HubError, SettingError
from diffing.hub import hub_errors, user_name
from diffing.outputs.dataset import flags_of
from diffing.settings import described

IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
"""The container image that `huggingface_hub.run_uv_job` uses by default."""
_PYTHON = "3.12"


def command_for(config: DiffConfig, limits: Limits, options: HubOptions) -> list[str]:
    """The command line that the job executes.

    Args:
        config: The run.
        limits: The limits on calls and dollars.
        options: Where the report is published, and which package is installed.

    Raises:
        SettingError: The run needs files of this machine, or does not say where to publish.
    """
    if options.push is None:
        raise SettingError("--on jobs needs --push user/name: a job's files are gone when it ends")
    if files := local_files(config):
        flag = described(DiffConfig)[files[0]].flag
        raise SettingError(
            f"{flag} names a file of this machine, which a job does not have: push it to the Hub and give that name"
        )
    given = {name: value for name, value in asdict(config).items() if value not in (None, "", ())}
    models = [given.pop("model_a"), given.pop("model_b")]
    hard = {name: value for name, value in asdict(limits).items() if value is not None}
    joined = {name: ", ".join(map(str, value)) for name, value in given.items() if isinstance(value, tuple)}
    publish = ["--push", options.push]
    publish += [f"--{name}" for name in ("private", "collection") if getattr(options, name)]
    run = ["diffing", "run", *models, *flags_of(given | joined | hard), "--out", "/tmp/run", *publish]
    return ["uv", "run", "--python", _PYTHON, "--with", options.package, *run]


def run_on_jobs(
    command: list[str],
    *,
    options: HubOptions,
    secrets: Mapping[str, str],
    api: HfApi,
    on_line: Callable[[str], None],
) -> JobInfo:
    """Submits a job and follows it to its end.

    Args:
        command: From `command_for`.
        options: The type of machine, and the time after which the job is stopped.
        secrets: Tokens and keys by name.
        api: The Hub's client, signed in as the account that pays.
        on_line: Called with the job's address, then with every line that the job prints.

    Raises:
        HubError: The job was not submitted, or it failed; the message contains the job's address.
    """
    owner = user_name(api)
    with hub_errors(f"{owner}'s jobs", doing="write"):
        job = api.run_job(
            image=IMAGE,
            command=command,
            secrets=dict(secrets),
            flavor=options.flavor,
            timeout=options.job_timeout,
            name="diffing",
            namespace=owner,
        )
    on_line(f"Job {job.url} (to stop it: hf jobs cancel {job.id})")
    try:
        with hub_errors(f"the job {job.url}"):
            for line in api.fetch_job_logs(job_id=job.id, namespace=owner, follow=True):
                on_line(line)
            ended = api.wait_for_job(job.id, namespace=owner, poll_interval=2.0)
    except HubError as error:
        raise HubError(f"{error} The job continues: see {job.url}", status=error.status) from None
    if ended.status.stage != "COMPLETED":
        raise HubError(f"The job ended as {ended.status.stage}: see its logs at {job.url}, fix that and run again")
    return ended
