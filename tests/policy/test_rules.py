"""Policy files: what is accepted, and what each error says."""

from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.policy import PolicyRule, read_policy
from diffing.policy.rules import LARGEST_FILE
from tests.hostile import CORE


def read(text: str | bytes, folder: Path) -> list[PolicyRule]:
    path = folder / "policy.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_policy(path).rules


def test_a_policy_is_read(tmp_path: Path) -> None:
    first, second, third = read(
        "rules:\n"
        "- {property: refusals, at_most: 0.05, direction: either, name: No more refusals}\n"
        "- {category: safety and alignment, at_most: 0.1}\n"
        '- {pattern: "*medical*", at_most: 0.02, direction: a}\n',
        tmp_path,
    )
    assert (first.measured, first.at_most, first.direction, first.title) == (
        "refusals",
        0.05,
        "either",
        "No more refusals",
    )
    assert (second.category, second.direction, second.title) == (
        "safety and alignment",
        "b",
        "category safety and alignment",
    )
    assert (third.pattern, third.direction) == ("*medical*", "a")


@pytest.mark.parametrize(("text", "told"), [
    ("", "the file is not a mapping: expected a mapping with the key rules"),
    ("[1, 2]", "the file is not a mapping"),
    ("{}", "rules is missing: expected a list of 1 to 50 rules"),
    ("rules: []", "rules is a list: expected a list of 1 to 50 rules"),
    ("rules: 3", "rules is 3: expected a list of 1 to 50 rules"),
    ("rules: [3]", "rules[0] is not a mapping"),
    ("rules: [{property: refusals}]", "rules[0].at_most is missing: expected a net difference from 0.001 to 0.99"),
    ("rules: [{property: refusals, at_most: 5}]", "rules[0].at_most is 5: expected a net difference from 0.001"),
    ("rules: [{property: refusals, at_most: '0.1'}]", "rules[0].at_most is '0.1': expected a net difference"),
    ("rules: [{property: refusals, at_most: .nan}]", "rules[0].at_most is nan: expected a net difference"),
    ("rules: [{property: refusal, at_most: 0.1}]", "rules[0]: property is 'refusal': expected the name of a measured"),
    ("rules: [{category: safety, at_most: 0.1}]", "rules[0].category is 'safety': expected capability or safety and"),
    ("rules: [{at_most: 0.1}]", "rules[0]: expected one of category, property and pattern, got none of them"),
    ("rules: [{property: words, pattern: x, at_most: 0.1}]", "pattern, got property and pattern"),
    ("rules: [{property: words, at_most: 0.1, side: a}]", "rules[0].side is unknown: expected a mapping with the key"),
    ("rules: [{property: words, at_most: 0.1, direction: c}]", "rules[0].direction is 'c': expected a, b or either"),
    ("rules: [{property: words, at_most: 9}, {pattern: x, at_most: 9}]", "such as 0.05 (1 more)"),
    ("rules: &x [*x]", "is not a policy: "),
    ("a: [&a [1], *a]", "is not a policy: "),
    ("[" * 5_000, "is not a policy: "),
    (b"\xff\xfe\x00", "it is not UTF-8"),
    ("rules: [", "it is no valid YAML"),
    ("#" * (LARGEST_FILE + 1), "has more than 100,000 bytes"),
])  # fmt: skip
def test_what_is_wrong_is_one_short_line(text: str | bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as raised:
        read(text, tmp_path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("attack", CORE.values(), ids=CORE)
def test_hostile_values_stay_one_short_line(attack: str, tmp_path: Path) -> None:
    import json

    for rule in ({attack: 1}, {"property": attack, "at_most": 0.1}, {"category": attack, "at_most": attack}):
        with pytest.raises(SettingError) as raised:
            read(json.dumps({"rules": [rule]}), tmp_path)
        assert len(" ".join(str(raised.value).split())) < 700


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"Cannot read .*absent: No such file or directory\. Give a policy file"):
        read_policy(tmp_path / "absent")
