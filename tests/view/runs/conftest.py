"""A desk whose runs ask a server on loopback, and what the tests wait for."""

from pathlib import Path

from diffing.config import DiffConfig
from diffing.view.runs import RunManager, RunState
from tests.cli.world import write_prompts
from tests.servers.openai_server import OpenAIServer
from tests.waiting import until

OWNER = "somebody@session"
PROMPTS = 36


def config_of(server: OpenAIServer, folder: Path, *, a: str = "a") -> DiffConfig:
    """Two models behind a server, a few prompts, words counted only."""
    url = server.base_url
    prompts = folder / "prompts.jsonl"
    return DiffConfig(
        model_a=f"openai:{a}@{url}",
        model_b=f"openai:b@{url}",
        prompts=str(prompts if prompts.exists() else write_prompts(prompts)),
        train=24,
        heldout=PROMPTS - 24,
        concurrency=2,
    )


def ended(manager: RunManager, run_id: str) -> RunState:
    """The state of a run once it is neither queued nor running."""

    def state() -> RunState:
        found = manager.state(run_id)
        assert found is not None
        return found

    until(lambda: state().state not in ("queued", "running"))
    return state()


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
