"""`pip install diffing` alone, in a fresh environment, imports and compares two recordings.

Run with `pytest -m deploy tests/deploy/test_base_install.py`: takes what pip fetches.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.recordings import pair
from tests.deploy.space import environment, upload

pytestmark = pytest.mark.deploy
EXTRAS = {"torch", "transformers", "sklearn", "gradio", "model2vec", "sae_lens"}


def test_the_base_install_compares_recordings(tmp_path: Path) -> None:
    upload(".", tmp_path / "checkout")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python, kept = tmp_path / "venv" / "bin" / "python", environment(tmp_path)
    installed = [python, "-m", "pip", "install", "-q", "--no-compile", tmp_path / "checkout"]
    done = subprocess.run(installed, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    a, b = pair(tmp_path)

    def ran(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    code = f"import diffing, importlib.util as u; print([name for name in {EXTRAS} if u.find_spec(name)])"
    seen = ran(str(python), "-c", code)
    assert seen.strip() == "[]"
    ran(str(python.parent / "diffing"), "run", a, b, "--train", "40", "--heldout", "20", "--out", str(tmp_path / "out"))
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    shown = json.loads(ran(str(python.parent / "diffing"), "show", str(tmp_path / "out"), "--json"))
    assert "praises" in json.dumps(shown)
    files = ran(str(python), "-c", "import diffing, pathlib; print(*pathlib.Path(diffing.__file__).parent.rglob('*'))")
    assert "RESULTS.md" not in files
    assert "train_sae" not in files
