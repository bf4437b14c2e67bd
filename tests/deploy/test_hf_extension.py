"""The built wheel, installed where the `hf` command looks for its extensions, answers to `hf diffing`.

Run with `pytest -m deploy tests/deploy/test_hf_extension.py`: pip fetches what builds the wheel. The dependencies are
those of this environment, and nothing is asked of GitHub.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from huggingface_hub.cli import extensions

from diffing import __version__
from tests.cli.recordings import pair
from tests.deploy.space import upload

pytestmark = pytest.mark.deploy


def test_hf_diffing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    upload(".", tmp_path / "checkout")
    wheels = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, tmp_path / "checkout"]
    subprocess.run(wheels, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("diffing-*.whl")

    folder = extensions._get_extension_dir("diffing")
    assert folder.is_relative_to(tmp_path)
    venv.EnvBuilder(with_pip=False).create(folder / "venv")
    python = extensions._get_venv_bin_path(folder / "venv", "python")
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    Path(site, "dependencies.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")) + "\n")
    script = extensions._get_venv_bin_path(folder / "venv", extensions._get_executable_name("diffing"))
    assert script.is_file()
    manifest = extensions.ExtensionManifest(
        owner="somebody", repo="hf-diffing", repo_id="somebody/hf-diffing", short_name="diffing",
        executable_path=str(script), type="python", installed_at=datetime.now(UTC),
    )  # fmt: skip
    manifest.save(folder)

    hf = shutil.which("hf", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}")
    assert hf
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "DIFFING_"))}
    clean |= {"HF_HUB_DISABLE_UPDATE_CHECK": "1", "DIFFING_CACHE": str(tmp_path / "cache")}

    def ran(*command: object) -> subprocess.CompletedProcess[str]:
        arguments = [hf, *map(str, command)]
        return subprocess.run(arguments, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)

    assert ran("diffing", "--version").stdout.strip() == __version__
    a, b = pair(tmp_path)
    done = ran("diffing", "run", a, b, "--train", 40, "--heldout", 20, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").exists()
    assert ran("diffing", "show", "absent").returncode == 2
    assert "diffing" in ran("--help").stdout
