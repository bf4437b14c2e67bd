"""Datasets that are published diffs as far as their cards tell: a list of many without their reports."""

from pathlib import Path
from typing import Any

import yaml

from tests.hub import LocalHub


def publish_card(hub: LocalHub, folder: Path, name: str, models: tuple[str, str], **told: Any) -> None:
    """Puts a dataset with a card of ours on the Hub, without a report; `told`: more of our entry."""
    entry = {"model_a": f"{models[0]}@{'1' * 40}", "model_b": f"{models[1]}@{'2' * 40}", "settings": "0" * 32, **told}
    card = {"tags": ["model-diff", *(f"model-diff:{model}" for model in dict.fromkeys(models))], "model_diff": entry}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(card)}---\n", encoding="utf-8")
    hub.push_folder(name, folder, "dataset")
