"""Changes the files in a model's folder, and returns the line with which such a folder is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import transformers

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from tests.models.local import tiny


def edit(file: Path, **values: object) -> None:
    """Sets values in a JSON file, which is created if it is missing."""
    file.write_text(json.dumps((json.loads(file.read_text()) if file.exists() else {}) | values))


def shard(folder: Path) -> list[str]:
    """Saves the weights in several files, and returns their names."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="40KB")
    return sorted(file.name for file in folder.glob("model-*.safetensors"))


def refusal(folder: Path, **options: Any) -> str:
    """The one line with which a model is refused, before it answers anything."""
    with pytest.raises(ModelError) as caught:
        LocalModel.load(str(folder), options=LocalOptions(device="cpu", **options)).generate(
            tiny.MIXED[:1], Sampling(max_new_tokens=1)
        )
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert caught.value.__cause__ is None
    return str(caught.value)
