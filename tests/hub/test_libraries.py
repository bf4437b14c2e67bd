"""datasets and transformers read the endpoint when they are imported: they get a process of their own."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import HfApi

from diffing.demo.config import FOLDER
from tests.hub import LocalHub
from tests.hub.conftest import put
from tests.starter import Starter

CARD = b"""---
license: mit
configs:
- config_name: findings
  default: true
  data_files: [{split: train, path: findings/train.parquet}, {split: heldout, path: findings/heldout.parquet}]
- config_name: prompts
  data_files: [{split: train, path: prompts/train.parquet}]
---
"""
SCRIPT = """
import json
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer

findings = load_dataset("alice/diff")
prompts = load_dataset("alice/diff", "prompts", split="train", revision="refs/pr/1")
tokenizer = AutoTokenizer.from_pretrained("lab/base")
model = AutoModelForCausalLM.from_pretrained("lab/base", revision="v1")
drawn = model.generate(**tokenizer("Hello", return_tensors="pt"), max_new_tokens=3, do_sample=False)
print(json.dumps({
    "findings": {split: rows["text"][:] for split, rows in findings.items()},
    "prompts": prompts["text"][:],
    "drawn": drawn[0].tolist(),
    "template": tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False),
}))
"""


def parquet(folder: Path, *texts: str) -> bytes:
    pq.write_table(pa.table({"text": list(texts)}), folder / "some.parquet")
    return (folder / "some.parquet").read_bytes()


def test_a_dataset_with_two_configs_and_a_model(hub: LocalHub, alice: HfApi, starter: Starter, tmp_path: Path) -> None:
    hub.add_org("lab", members=("alice",))
    alice.create_repo("lab/base")
    alice.upload_folder(repo_id="lab/base", folder_path=FOLDER / "models" / "base")
    alice.create_tag("lab/base", tag="v1")
    alice.create_repo("alice/diff", repo_type="dataset", private=True)
    files = {
        "README.md": CARD,
        "findings/train.parquet": parquet(tmp_path, "a", "b"),
        "findings/heldout.parquet": parquet(tmp_path, "c"),
        "prompts/train.parquet": parquet(tmp_path, "p"),
    }
    put(alice, "alice/diff", files, repo_type="dataset")
    put(alice, "alice/diff", {"prompts/train.parquet": parquet(tmp_path, "q")}, repo_type="dataset", create_pr=True)
    own = {"HF_TOKEN": str(alice.token), "HF_HOME": str(tmp_path / "cache")}
    result = starter.run(["-c", SCRIPT], os.environ | own)
    assert result.returncode == 0, result.stderr
    loaded = json.loads(result.stdout.splitlines()[-1])
    assert loaded["findings"] == {"train": ["a", "b"], "heldout": ["c"]}
    assert loaded["prompts"] == ["q"]
    assert len(loaded["drawn"]) > 3
    assert "Hi" in loaded["template"]
    assert {request.user for request in hub.requests if "/resolve/" in request.path} == {"alice"}
