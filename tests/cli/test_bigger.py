"""The recipes for other engines in `.github/BIGGER.md`, as far as they run here: datatrove, on a server of ours."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, clean_environment
from tests.cli.world import PROMPTS, answer_of, write_prompts
from tests.servers.openai_server import OpenAIServer

RECIPES = Path(__file__).parents[2] / ".github" / "BIGGER.md"
FIVE_MINUTES = 300
ENGINE = 'server_type="vllm"'


@pytest.mark.slow
def test_datatrove_answers_exported_requests_and_its_answers_are_compared(run_cli: Run, tmp_path: Path) -> None:
    for needed in ("datatrove", "aiofiles", "aiosqlite", "orjson"):
        pytest.importorskip(needed, reason="needs datatrove, aiofiles, aiosqlite and orjson")
    prompts = write_prompts(tmp_path / "prompts.jsonl")
    written = run_cli("prompts", "export", "org/base", "org/tuned", "--prompts", prompts, "--out", tmp_path / "batch")
    assert written.returncode == 0, written.stderr
    with OpenAIServer(answered) as server:
        for side, model in (("a", "org/base"), ("b", "org/tuned")):
            recipe = tmp_path / f"{side}.py"
            recipe.write_text(recipe_for(side, model, server.url), "utf-8")
            environment = clean_environment(tmp_path)
            command = [sys.executable, str(recipe)]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=FIVE_MINUTES
            )
            assert done.returncode == 0, done.stderr
            files = sorted((tmp_path / "batch" / side).glob("*.jsonl"))
            answers = "".join(file.read_text("utf-8") for file in files)
            (tmp_path / "batch" / f"{side}.answers.jsonl").write_text(answers, "utf-8")
    assert sum("messages" in request for request in server.requests) == 2 * PROMPTS
    *_, compare = written.stdout.splitlines()
    compared = run_cli(*shlex.split(compare)[1:], "--method", "lexical", "--out", tmp_path / "out", "--json")
    assert compared.returncode == 0, compared.stderr


def answered(request: dict[str, Any]) -> str:
    """An answer of one of two models; datatrove also asks whether the server is ready."""
    if "messages" not in request:
        return "ready"
    return answer_of("b" if request["model"] == "org/tuned" else "a", request["messages"][-1]["content"])


def recipe_for(side: str, model: str, url: str) -> str:
    """The recipe for one side, on a server that runs already instead of one that it starts."""
    found = re.search(r"^## datatrove$.*?^```python\n(.*?)^```$", RECIPES.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None
    code = found[1].replace("a.requests.jsonl", f"{side}.requests.jsonl").replace("batch/a", f"batch/{side}")
    assert code.count(ENGINE) == 1
    code = code.replace(ENGINE, f'server_type="endpoint", endpoint_url="{url}"').replace("org/base", model)
    return f'if __name__ == "__main__":\n{re.sub("(?m)^(?=.)", "    ", code)}'
