"""Settings from JSON, the secret from the environment; whatever cannot be used is one clear line."""

import json
from pathlib import Path

import pytest

from diffing.annotate.settings import AnnotatorSettings, load_settings, secret_of_environment
from diffing.cli import main
from diffing.config import Limits
from diffing.errors import SettingError


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    run = {"train": 30, "method": ["lexical"], "max_calls": 9, "temperature": 1}
    values = {"watch": ["alice/tuned"], "allow": ["bob"], "run": run}
    monkeypatch.setenv("ANNOTATOR_SETTINGS", json.dumps(values))
    settings = load_settings()
    config = settings.config("org/a", "org/b")
    assert (config.model_a, config.model_b, config.train, config.method) == ("org/a", "org/b", 30, ("lexical",))
    assert settings.limits == Limits(max_calls=9)
    assert [settings.allows(name) for name in ("Alice/Tuned", "alice/other", "bob/any", "bobby/any")] == [
        True,
        False,
        True,
        False,
    ]


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"card": "off", "folder": "state"}')
    assert load_settings(path) == AnnotatorSettings(card="off", folder="state")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"wach": []}', r"unknown settings \(wach\)"),
        ('{"watch": "alice/tuned"}', "watch cannot be used"),
        ('{"watch": ["alone"]}', "cannot watch 'alone': expected org/name"),
        ('{"allow": ["../x"]}', "cannot allow"),
        ('{"namespace": "a/b"}', "expected a user or an organisation"),
        ('{"against": "best"}', "against cannot be used"),
        ('{"card": "force"}', "card cannot be used"),
        ('{"most_tries": 0}', "at least 1"),
        ('{"most_per_day": 0}', "at least 1"),
        ('{"run": {"llm": "providers:org/llm"}}', "paid model without a limit"),
        ('{"run": {"rater": ["openai:llm"], "base_url": "https://example.org/v1"}}', "paid model without a limit"),
        ('{"run": {"model_a": "x"}}', "cannot set model_a"),
        ('{"run": {"trane": 5}}', "cannot set trane"),
        ('{"run": {"train": "many"}}', "--train is 'many': expected a whole number"),
        ('{"run": {"train": 0}}', "--train is 0"),
        ('{"run": {"max_usd": 1}}', "--max-usd needs prices"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNOTATOR_SETTINGS", text)
    with pytest.raises(SettingError, match=message):
        load_settings()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"nothing\.json cannot be read"):
        load_settings(tmp_path / "nothing.json")


def test_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANNOTATOR_SECRET", raising=False)
    monkeypatch.delenv("WEBHOOK_SECRET", raising=False)
    with pytest.raises(SettingError, match="No secret for the webhook"):
        secret_of_environment()
    for bad in ("short", "é" * 20, "a line\nand another one"):
        monkeypatch.setenv("WEBHOOK_SECRET", bad)
        with pytest.raises(SettingError, match="WEBHOOK_SECRET cannot be used") as refused:
            secret_of_environment()
        assert bad not in str(refused.value)
    monkeypatch.setenv("ANNOTATOR_SECRET", "a long enough secret")
    assert secret_of_environment() == "a long enough secret"


@pytest.mark.parametrize(
    ("arguments", "secret", "message"),
    [
        ([], "", "No secret for the webhook"),
        (["--settings", "nothing.json"], "a long enough secret", "nothing.json cannot be read"),
        (["--watch", "alice/tuned"], "a long enough secret", "give --url"),
    ],
)
def test_the_command_says_what_is_missing(
    arguments: list[str],
    secret: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("WEBHOOK_SECRET", "SPACE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANNOTATOR_SECRET", secret)
    with pytest.raises(SystemExit, match="2"):
        main(["annotate", *arguments])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert len(shown.err.splitlines()) == 1
