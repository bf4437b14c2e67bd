"""One dictionary for each of several depths: what each gets, what is refused, and that twins are tested once."""

from pathlib import Path

import numpy as np
import pytest

from diffing.config import DiffConfig
from diffing.demo.config import FOLDER
from diffing.errors import SettingError
from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions, InsideSide
from diffing.methods.crosscoder.method import CrosscoderMethod
from diffing.methods.crosscoder.several_depths import SeveralDepths, _one_of_each, _rates, at_depths
from diffing.types import FeatureAbove, FeatureMeasure, Hypothesis

SIDES = InsideSide(str(FOLDER / "models" / "base")), InsideSide(str(FOLDER / "models" / "tuned"))


def made(folder: Path, *depths: float) -> CrosscoderMethod | SeveralDepths:
    return at_depths(depths, *SIDES, folder, options=CrosscoderOptions(features=40))


def test_one_depth_is_the_plain_method(tmp_path: Path) -> None:
    method = made(tmp_path, 0.75)
    assert isinstance(method, CrosscoderMethod)
    assert method.blocks == (3, 3)


def test_several_depths_are_read_from_below(tmp_path: Path) -> None:
    method = made(tmp_path, 1.0, 0.25, 0.5)
    blocks = [(model.role, model.settings["block"]) for model in method.models]
    assert blocks == [(role, block) for block in (1, 2, 4) for role in ("inside_a", "inside_b")]


def test_depths_that_read_the_same_block_are_refused(tmp_path: Path) -> None:
    method = made(tmp_path, 0.5, 0.4, 1.0)  # of four blocks
    with pytest.raises(SettingError, match=r"--depth 0\.4 and --depth 0\.5 both read block 2 of A: leave one of them"):
        method.find_hypotheses([])


def hypothesis(name: str, effect: float, id_: str | None = None) -> Hypothesis:
    measure = FeatureMeasure("crosscoder", (FeatureAbove(name, 0.0),), name[0] * 4)
    return Hypothesis(id_ or name, f"text of {name}", "a", "crosscoder", "style", (), measure, effect)


def test_of_twins_at_two_depths_the_stronger_is_tested() -> None:
    weak, other, strong = hypothesis("2.1", 0.3), hypothesis("2.2", 0.2), hypothesis("3.7", 0.4)
    ten = np.zeros((2, 10))
    ten[0, :9] = 1
    all_ten, few = np.zeros((2, 10)), np.zeros((2, 10))
    all_ten[0, :] = 1
    few[1, :3] = 1
    values = {weak.measure: ten, other.measure: few, strong.measure: all_ten}  # nine of ten responses are the same
    assert _one_of_each([weak, other, strong], values) == [strong, other]  # type: ignore[arg-type]
    assert _one_of_each([], {}) == []


def test_of_hypotheses_with_the_same_sentence_the_stronger_is_tested() -> None:
    weak, strong = hypothesis("2.1", 0.3, "same"), hypothesis("3.7", 0.4, "same")
    values = {weak.measure: np.eye(2), strong.measure: 1 - np.eye(2)}
    assert _one_of_each([weak, strong], values) == [strong]  # type: ignore[arg-type]


def test_latents_with_the_same_rates_are_added_up() -> None:
    rows = [{"rate_a": 0.5, "rate_b": 0.0, "features": 3}, {"rate_a": 0.0, "rate_b": 0.25, "features": 1}]
    both = _rates([*rows, {"rate_a": 0.5, "rate_b": 0.0, "features": 4}])
    assert both == (rows[1], {"rate_a": 0.5, "rate_b": 0.0, "features": 7})


@pytest.mark.parametrize(
    ("depth", "message"),
    [
        ((0.5, 2), r"--depth is 2: expected 0\.01 to 1"),
        (("half",), "--depth is 'half': expected a number"),
        (0.5, r"--depth is 0\.5: expected a list, each a number"),
        ((), "--depth is "),
    ],
)
def test_depths_out_of_bounds_are_refused_in_one_line(depth: object, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        DiffConfig(model_a="a/a", model_b="b/b", depth=depth)  # type: ignore[call-arg]


def test_depths_may_be_texts_as_on_the_command_line() -> None:
    assert DiffConfig(model_a="a/a", model_b="b/b", depth=("0.25", "0.5")).depth == (0.25, 0.5)  # type: ignore[call-arg, attr-defined]
