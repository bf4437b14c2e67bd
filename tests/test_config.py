"""What a report tells of the settings: never where files lay, and nothing that decides nothing."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic.dataclasses import dataclass as validated

from diffing.config import DiffConfig, combined, local_files, settings_of
from diffing.outputs.dataset import flags_of
from diffing.run_settings import RunSettings
from diffing.settings import Setting, Settings, described, flag


@pytest.mark.parametrize("form", ["{}", "local:{}", "org/base+{}", "{}+org/adapter"])
def test_of_a_folder_only_the_name_is_told(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "secret-place" / "my model"
    folder.mkdir(parents=True)
    spec = form.format(folder)
    config = DiffConfig(spec, "org/b", llm=spec, judge=spec, second_judge=spec, rater=("org/r", spec), reader=spec)
    settings = settings_of(config)
    assert "secret-place" not in str(settings)
    assert settings["model_a"] == form.format("my model")
    assert settings["rater"] == f"org/r, {form.format('my model')}"
    assert local_files(config) == ("model_a", "llm", "judge", "second_judge", "rater", "reader")


def test_a_folder_below_home_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work" / "model").mkdir(parents=True)
    config = DiffConfig("~/work/model", "org/b")
    assert settings_of(config)["model_a"] == "model"
    assert local_files(config) == ("model_a",)


def test_who_pays_is_not_told() -> None:
    assert "bill_to" not in settings_of(DiffConfig("org/a", "org/b", bill_to="my-company"))


@validated(frozen=True)
class SameName(Settings):
    train: Annotated[int, Setting("A method")] = 1
    """A name that all runs have."""


def test_two_settings_of_one_name_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^RunSettings and SameName both have 'train': rename one of them$"):
        combined([RunSettings, SameName])


def test_a_command_repeats_the_flag_of_every_setting_that_has_several_values() -> None:
    several = [name for name, each in described(DiffConfig).items() if each.several]
    assert {"corpus", "depth", "method"} <= set(several)
    for name in several:
        assert flags_of({name: "a, b"}) == [flag(name), "a", flag(name), "b"]
