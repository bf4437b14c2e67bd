"""A forked command reads the environment as a fresh one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.starter import Starter

CONSTANTS = (
    "import json; from huggingface_hub import constants\n"
    "print(json.dumps({k: sorted(v) if isinstance(v, (set, frozenset)) else str(v)"
    " for k, v in vars(constants).items() if k.isupper()}))"
)
COPIES = (
    "import json, diffing.hub.client, huggingface_hub.hf_api, huggingface_hub.utils\n"
    "from transformers import dynamic_module_utils; from transformers.utils import logging\n"
    "print(json.dumps([huggingface_hub.hf_api.api.endpoint, huggingface_hub.HfApi().endpoint,"
    " huggingface_hub.utils.are_progress_bars_disabled(), diffing.hub.client.constants.ENDPOINT,"
    " dynamic_module_utils.HF_MODULES_CACHE, logging.is_progress_bar_enabled()]))"
)


def test_the_hubs_client_and_transformers_take_what_is_set(starter: Starter, tmp_path: Path) -> None:
    set_ = {
        "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_ETAG_TIMEOUT": "3",
    }  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | set_
    fresh = subprocess.run([sys.executable, "-c", CONSTANTS], env=environment, capture_output=True, check=True)
    assert json.loads(starter.run(["-c", CONSTANTS], environment).stdout) == json.loads(fresh.stdout)
    done = starter.run(["-c", COPIES], environment)
    assert done.returncode == 0, done.stderr
    endpoint = set_["HF_ENDPOINT"]
    assert json.loads(done.stdout) == [endpoint, endpoint, True, endpoint, str(tmp_path / "modules"), False]


def test_gradio_takes_what_is_set(starter: Starter, tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra app")
    code = (
        "from gradio import http_server, oauth, utils; import gradio as gr\n"
        "print(http_server.INITIAL_PORT_VALUE, http_server.LOCALHOST_NAME, oauth.OAUTH_CLIENT_ID, utils.get_space(),"
        " gr.Textbox.EVENTS[0], callable(gr.Textbox.change))"
    )
    set_ = {"GRADIO_SERVER_PORT": "9", "GRADIO_SERVER_NAME": "127.0.0.9", "OAUTH_CLIENT_ID": "me", "SYSTEM": "spaces"}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SPACE_ID": "org/space"} | set_
    done = starter.run(["-c", code], environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["9", "127.0.0.9", "me", "org/space", "change", "True"]


def test_a_worker_of_pytest_is_forked_in_place_of_a_python(starter: Starter) -> None:
    """It has the slow libraries loaded, and input, output and exit status of the Python that it replaces."""
    pytest.importorskip("torch", reason="needs the extra local")
    code = "import sys; print('torch' in sys.modules, sys.argv, input()); sys.exit(3)"
    command = [sys.executable, "-m", "tests.starter", "worker", str(starter.folder), "-u", "-c", code]
    done = subprocess.run(command, input="a line\n", capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert (done.returncode, done.stdout, done.stderr) == (3, "True ['-c'] a line\n", "")
