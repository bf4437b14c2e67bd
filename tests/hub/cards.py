"""What the Hub reads in a README: its YAML, the tags from it, what is wrong with it. And which files are large."""

import re
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

import yaml
from huggingface_hub.repocard import REGEX_YAML_BLOCK

_LARGE = (
    "7z arrow bin bz2 ckpt ftz gz h5 joblib lz4 mds mlmodel model msgpack npy npz onnx ot parquet pb pickle pkl pt pth "
    "rar safetensors tar tflite tgz wasm xz zip zst jpg jpeg png webp wav mp3 mp4"
)
GIT_ATTRIBUTES = "".join(f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in _LARGE.split()).encode()
REGULAR_BYTES = 10 * 1024 * 1024
"""The largest file that is kept as it is."""

LICENSES = (
    "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m openrail++ cc0-1.0 cc-by-4.0 cc-by-sa-4.0 "
    "cc-by-nc-4.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc cdla-permissive-2.0 odc-by odbl llama2 llama3 llama3.1 llama3.2 "
    "llama3.3 gemma gpl-3.0 lgpl-3.0 agpl-3.0 bsd bsd-3-clause mpl-2.0 afl-3.0 artistic-2.0 unlicense unknown other"
).split()
SIZES = (
    "n<1K 1K<n<10K 10K<n<100K 100K<n<1M 1M<n<10M 10M<n<100M 100M<n<1B 1B<n<10B 10B<n<100B 100B<n<1T n>1T other"
).split()


def is_large(path: str, size: int, attributes: bytes) -> bool:
    """Whether it is kept as a large file: by the repository's .gitattributes, or for its size."""
    if size == 0:
        return False
    rules = [line.split()[0] for line in attributes.decode().splitlines() if "filter=lfs" in line]
    name = PurePosixPath(path).name
    return size > REGULAR_BYTES or any(fnmatch(name, rule) or fnmatch(path, rule) for rule in rules)


def front_matter(readme: str) -> str | None:
    """The YAML between the dashes; None where there is none."""
    found = REGEX_YAML_BLOCK.search(readme)
    return None if found is None else found.group(2)


def card_data(readme: bytes | None) -> dict[str, Any]:
    """The YAML as read; empty where it cannot be."""
    try:
        read = yaml.safe_load(front_matter((readme or b"").decode("utf-8", "replace")) or "")
    except yaml.YAMLError:
        return {}
    return plain(read) if isinstance(read, dict) else {}


def plain(value: Any) -> Any:
    """As JSON can say it."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def problems(readme: str, kind: str) -> tuple[list[str], list[str]]:
    """Errors and warnings of the metadata."""
    text = front_matter(readme)
    if text is None or not text.strip():
        return [], ["empty or missing yaml metadata in repo card"]
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"YAML parse error: {error}"], []
    if not isinstance(read, dict):
        return ["the metadata must be an object"], []
    errors = [f'"{key}" must be a list of strings' for key in ("tags",) if not _strings(read.get(key, []))]
    for key, known in (("license", LICENSES), ("size_categories", SIZES if kind == "dataset" else None)):
        if known is not None:
            wrong = [each for each in _listed(read.get(key)) if each not in known]
            errors += [f'"{key}" must be one of [{", ".join(known)}], got {each}' for each in wrong]
    if kind == "dataset" and "configs" in read:
        errors += _of_configs(read["configs"])
    return errors, []


def _of_configs(configs: Any) -> list[str]:
    if not isinstance(configs, list) or not all(isinstance(each, dict) for each in configs):
        return ['"configs" must be an array of objects']
    names = [each.get("config_name") for each in configs]
    errors = [f'"configs[{i}].config_name" must be a string' for i, name in enumerate(names) if not _strings([name])]
    if len(set(map(str, names))) != len(names):
        errors.append('"configs" has a config_name twice')
    if sum(each.get("default") is True for each in configs) > 1:
        errors.append('"configs" must have at most one default')
    return errors


def tags(data: dict[str, Any], readme: bytes | None, kind: str) -> list[str]:
    """What the repository can be filtered by."""
    found = [*_listed(data.get("tags"))]
    if kind == "model":
        found += [
            *_listed(data.get("library_name")),
            *_listed(data.get("pipeline_tag")),
            *_listed(data.get("language")),
        ]
        relation = data.get("base_model_relation", "finetune")
        for base in _listed(data.get("base_model")):
            found += [f"base_model:{base}", f"base_model:{relation}:{base}"]
        found += [f"dataset:{each}" for each in _listed(data.get("datasets"))]
    else:
        for key in ("language", "size_categories", "task_categories", "task_ids", "multilinguality"):
            found += [f"{key}:{each}" for each in _listed(data.get(key))]
    found += [f"license:{each}" for each in _listed(data.get("license"))]
    links = re.findall(r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})", (readme or b"").decode("utf-8", "replace"))
    found += [f"arxiv:{each}" for each in links]
    return list(dict.fromkeys([*found, "region:us"]))


def _listed(value: Any) -> list[str]:
    return [] if value is None else [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
