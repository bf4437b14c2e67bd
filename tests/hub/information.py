"""What the Hub says about a repository: derived from its files."""

import json
from typing import Any

from tests.hub.accounts import object_id
from tests.hub.cards import card_data, tags
from tests.hub.store import Commit, Repository, pointer


def about(repo: Repository, commit: Commit, *, blobs: bool = False) -> dict[str, Any]:
    """Everything; callers take out what was not asked for."""
    readme = commit.tree.get("README.md")
    text = None if readme is None else repo.blobs.read(readme)
    data = card_data(text)
    shown: dict[str, Any] = {
        "_id": object_id(repo.kind, repo.id),
        "id": repo.id,
        "author": repo.owner,
        "sha": commit.sha,
        "createdAt": repo.created_at,
        "lastModified": commit.date,
        "private": repo.private,
        "gated": "manual" if repo.gated else False,
        "disabled": repo.disabled,
        "downloads": 0,
        "likes": 0,
        "tags": tags(data, text, repo.kind),
        "siblings": _siblings(commit, blobs),
    }
    if data:
        shown["cardData"] = data
    if repo.kind == "model":
        shown |= _of_model(repo, commit, data)
    return shown


def _siblings(commit: Commit, blobs: bool) -> list[dict[str, Any]]:
    found = []
    for path, entry in sorted(commit.tree.items()):
        each: dict[str, Any] = {"rfilename": path}
        if blobs:
            each |= {"size": entry.size, "blobId": entry.oid}
        if blobs and entry.lfs is not None:
            size = len(pointer(entry.lfs, entry.size))
            each["lfs"] = {"sha256": entry.lfs, "size": entry.size, "pointerSize": size}
        found.append(each)
    return found


def _of_model(repo: Repository, commit: Commit, data: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"modelId": repo.id}
    for key in ("pipeline_tag", "library_name"):
        if key in data:
            shown[key] = data[key]
    if "config.json" in commit.tree:
        config = _json(repo.blobs.read(commit.tree["config.json"]))
        shown["config"] = {key: config[key] for key in ("architectures", "model_type") if key in config}
    if (bases := data.get("base_model")) is not None:
        names = bases if isinstance(bases, list) else [bases]
        models = [{"_id": object_id("model", name), "id": name} for name in names]
        shown["baseModels"] = {"relation": data.get("base_model_relation", "finetune"), "models": models}
    if (weights := commit.tree.get("model.safetensors")) is not None:
        shown["safetensors"] = _parameters(repo.blobs.read(weights))
    return shown


def _parameters(content: bytes) -> dict[str, Any]:
    """Counts by type, from the header of a safetensors file."""
    header = _json(content[8 : 8 + int.from_bytes(content[:8], "little")])
    counts: dict[str, int] = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            size = 1
            for length in tensor["shape"]:
                size *= length
            counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + size
    return {"parameters": counts, "total": sum(counts.values())}


def _json(content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
