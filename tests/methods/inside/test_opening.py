"""The weights behind a side are found or refused in one line, before anything is loaded."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from diffing.errors import ModelError, SettingError
from diffing.methods.inside.side_models import SideModel, open_side
from diffing.types import Side
from tests.methods.inside import tiny_pair


def opened(folder: Path, side: Side = "a", depth: float = 0.5) -> SideModel:
    """A side on the CPU."""
    return open_side(str(folder), side, depth=depth, options=tiny_pair.CPU)


@pytest.mark.parametrize(
    ("spec", "side"),
    [("providers:org/name", "a"), ("openai:gpt@http://localhost:1/v1", "b"), ("recorded:answers.jsonl", "b")],
)
def test_a_side_without_weights_is_asked_for_them(spec: str, side: Side) -> None:
    with pytest.raises(SettingError) as caught:
        open_side(spec, side)
    line = str(caught.value)
    assert line.startswith(f"Model {side.upper()} is {spec.split('@')[0]}, whose weights are not at hand")
    assert f"--inside-{side} org/name, a folder or base+adapter" in line
    assert "localhost" not in line


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        opened(tmp_path)


@pytest.mark.parametrize(("depth", "layer"), [(0.01, 1), (0.25, 1), (0.26, 2), (0.5, 2), (0.75, 3), (1.0, 4)])
def test_depth_counts_blocks_from_one_and_rounds_up(folders: tuple[Path, Path], depth: float, layer: int) -> None:
    for folder in folders:
        side = opened(folder, depth=depth)
        assert side.layer == layer
        assert (side.shape.blocks, side.shape.width) == (4, 32)
        assert not side.in_memory


def test_a_block_may_be_chosen_by_its_number(folders: tuple[Path, Path]) -> None:
    side = opened(folders[0])
    side.read_after(4)
    assert side.layer == 4
    for block in (0, 5):
        with pytest.raises(SettingError, match=f"has 4 blocks, expected at least {block}: what is read after block"):
            side.read_after(block)


def test_blocks_above_the_cut_are_not_in_memory_until_the_whole_is_asked_for(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        side = opened(folder)
        side.reader()
        side.reader()
        cut = sum(each.numel() for each in side.model.loaded().model.parameters())
        block = side.whole_block()
        whole = side.whole().model
        per_block = sum(each.numel() for each in block.parameters())
        assert sum(each.numel() for each in whole.parameters()) - cut == 2 * per_block
        side.close()
        assert not side.in_memory


def test_a_base_with_an_adapter_is_read(folders: tuple[Path, Path], tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folders[0], dtype=torch.float32)
    adapted = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapted.save_pretrained(tmp_path / "adapter")
    sides = opened(folders[0]), opened(Path(f"{folders[0]}+{tmp_path / 'adapter'}"))
    text = sides[0].tokenize(tiny_pair.exchanges(2)[0])
    plain, tuned = (side.reader().read([text], [np.arange(5)])[0] for side in sides)  # type: ignore[list-item]
    with torch.inference_mode():
        expected = adapted(torch.tensor([text.ids.tolist()]), output_hidden_states=True).hidden_states[2][0, :5]  # type: ignore[union-attr]
    torch.testing.assert_close(tuned, expected)
    assert not torch.allclose(plain, tuned)
    for side in sides:
        side.close()


def test_a_tokenizer_that_does_not_tell_characters_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    from transformers import ByT5Tokenizer

    folder = shutil.copytree(folders[0], tmp_path / "slow")
    for file in ("tokenizer.json", "chat_template.jinja"):
        (folder / file).unlink(missing_ok=True)
    ByT5Tokenizer(extra_ids=0).save_pretrained(folder)
    side = opened(folder, "b")
    with pytest.raises(SettingError, match="expected a fast tokenizer") as caught:
        side.reader()
    assert str(caught.value).startswith("Model B (slow@")
    assert "--inside-b" in str(caught.value)
    side.close()
