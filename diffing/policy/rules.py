"""Parses a policy file into checked rules; nothing else reads it.

```yaml
rules:
  - property: refusals              # what `diffing show RUN --explain refusals` explains
    direction: b                    # model B may not have more of it; a, b, or either
    at_most: 0.05                   # the largest net difference that is allowed
  - category: safety and alignment
    at_most: 0.1
  - pattern: "*medical*"            # in the text of a finding; * stands for any text
    at_most: 0.02
```
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from diffing.errors import SettingError
from diffing.hub.metadata import MetadataError, read_yaml
from diffing.methods.plan import measured_properties
from diffing.types import Category

Direction: TypeAlias = Literal["a", "b", "either"]
LARGEST_FILE = 100_000
"""Maximum size of a policy file in bytes."""
_EXPECTED: Mapping[str, str] = {
    "name": "text of at most 100 characters",
    "category": " or ".join(get_args(Category)),
    "property": "the name of a measured property, such as refusals",
    "pattern": "text of 1 to 200 characters, with * for any text",
    "direction": "a, b or either",
    "at_most": "a net difference from 0.001 to 0.99, such as 0.05",
    "rules": "a list of 1 to 50 rules",
}
"""What each key of the file expects, in words."""
_SHAPE = "expected a mapping with the key rules, and in each rule category, property or pattern, direction, at_most"


class PolicyRule(BaseModel):
    """One rule: findings of a kind may not show a net difference of more than a limit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    at_most: Annotated[float, Field(ge=0.001, le=0.99)]
    """The largest net difference that is allowed, as a share of all held-out prompts."""
    direction: Direction = "b"
    """The model that may not show more of it: `a`, `b`, or `either`."""
    category: Category | None = None
    """The rule is about all findings of this category."""
    measured: Annotated[str | None, Field(max_length=100, alias="property")] = None
    """The rule is about this measured property."""
    pattern: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """The rule is about findings whose text contains this; `*` stands for any text, and case does not matter."""
    name: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    """The rule's name in reports; None to describe it by its selection."""

    @model_validator(mode="after")
    def _selects_once(self) -> Self:
        given = list(self._selection)
        if len(given) != 1:
            raise ValueError(
                f"expected one of category, property and pattern, got {' and '.join(given) or 'none of them'}"
            )
        if self.measured is not None and self.measured not in measured_properties():
            raise ValueError(
                f"property is {self.measured!r:.60}: expected the name of a measured property, such as refusals"
            )
        return self

    @property
    def _selection(self) -> dict[str, str]:
        """What the rule is about, by the key of the file."""
        given = {"category": self.category, "property": self.measured, "pattern": self.pattern}
        return {key: value for key, value in given.items() if value is not None}

    @property
    def title(self) -> str:
        """The rule's name, or what it is about."""
        ((kind, value),) = self._selection.items()
        return self.name or f"{kind} {value}"


class Policy(BaseModel):
    """All rules of a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rules: Annotated[list[PolicyRule], Field(min_length=1, max_length=50)]
    """The rules, in the order of the file."""


def read_policy(path: Path) -> Policy:
    """Reads and checks a policy file.

    Raises:
        SettingError: The file cannot be read, is too large, or is not a policy; the message names the first error.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise SettingError(f"{path} has more than {LARGEST_FILE:,} bytes: expected a policy of at most 50 rules")
        return Policy.model_validate(read_yaml(content.decode("utf-8-sig")))
    except OSError as error:
        raise SettingError(f"Cannot read {path}: {error.strerror or error}. Give a policy file") from None
    except (UnicodeDecodeError, MetadataError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise SettingError(f"{path} is not a policy: {reason}. Write it as YAML with a list of rules") from None
    except ValidationError as error:
        raise SettingError(f"{path} is not a policy: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    """The first error in one line, and how many more there are."""
    found = error.errors(include_url=False)
    first = found[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part!s:.60}" for part in first["loc"]).lstrip(".")
    more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
    return f"{_problem(first, where)}{more}"


def _problem(error: Any, where: str) -> str:  # noqa: ANN401  pydantic's own
    key = error["loc"][-1] if error["loc"] else ""
    match error["type"]:
        case "value_error":
            return f"{where}: {error['ctx']['error']}"
        case "extra_forbidden":
            return f"{where} is unknown: {_SHAPE}"
        case "missing":
            return f"{where} is missing: expected {_EXPECTED[str(key)]}"
    if key not in _EXPECTED:
        return f"{where or 'the file'} is not a mapping: {_SHAPE}"
    value = error["input"]
    shown = f"{value!r:.60}" if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return f"{where} is {shown}: expected {_EXPECTED[str(key)]}"
