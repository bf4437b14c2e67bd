"""Jobs that run what the test says."""

import threading

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, JobNotFoundError

from tests.hub import Job, LocalHub
from tests.waiting import DEADLINE


def test_a_job_runs_and_its_logs_are_followed(hub: LocalHub, alice: HfApi) -> None:
    may_end = threading.Event()

    def runner(job: Job) -> None:
        job.log(" ".join(job.command))
        job.log(job.environment["HF_TOKEN"][:3] + job.environment["MODE"])
        assert may_end.wait(DEADLINE)
        job.log("done")

    hub.jobs.runner = runner
    secrets = {"HF_TOKEN": alice.token}
    job = alice.run_uv_job("diffing", script_args=["a", "b"], env={"MODE": "x"}, secrets=secrets, flavor="a100-large")
    logs = alice.fetch_job_logs(job_id=job.id, follow=True)
    assert next(logs) == "uv run diffing a b"
    assert alice.inspect_job(job_id=job.id).status.stage == "RUNNING"
    may_end.set()
    assert list(logs) == ["hf_x", "done"]
    ended = alice.wait_for_job(job.id, timeout=DEADLINE, poll_interval=0.01)
    assert (ended.status.stage, ended.flavor, ended.owner.name) == ("COMPLETED", "a100-large", "alice")
    assert list(alice.fetch_job_logs(job_id=job.id)) == ["uv run diffing a b", "hf_x", "done"]
    assert [each.id for each in alice.list_jobs(namespace="alice", token=alice.token)] == [job.id]
    assert alice.token not in str(ended)
    assert hub.jobs[0].spec["secrets"] == secrets


def test_a_job_fails(hub: LocalHub, alice: HfApi) -> None:
    def runner(job: Job) -> None:
        raise RuntimeError("out of memory")

    hub.jobs.runner = runner
    job = alice.run_job(image="python:3.12", command=["python"])
    ended = alice.wait_for_job(job.id, timeout=DEADLINE, poll_interval=0.01)
    assert (ended.status.stage, ended.status.message) == ("ERROR", "Job failed: out of memory")


def test_whose_jobs(hub: LocalHub, alice: HfApi, bob: HfApi) -> None:
    hub.jobs.runner = lambda job: threading.Event().wait(0.2)
    job = alice.run_job(image="python:3.12", command=["python"])
    with pytest.raises(JobNotFoundError, match="Job Not Found"):
        bob.inspect_job(job_id=job.id, namespace="alice")
    with pytest.raises(HfHubHTTPError, match="403"):
        bob.run_job(image="python:3.12", command=["python"], namespace="alice")
    alice.cancel_job(job_id=job.id)
    assert alice.inspect_job(job_id=job.id).status.stage == "CANCELED"
