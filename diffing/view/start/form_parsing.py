"""Parses the start page's form, as a browser sends it, into a config. The input is untrusted and strictly validated."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any, TypeAlias

from diffing import registry
from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.hub import for_page
from diffing.methods.plan import plans_of
from diffing.model_ref import by_providers, read_hub_link, read_ref
from diffing.settings import SettingInfo, described
from diffing.types import SIDES, Side
from diffing.view.preflight.run_options import Runner

_OWN_LABELS = {
    "revision_a": "Revision of A",
    "revision_b": "Revision of B",
    "price_read": "Price of tokens read",
    "price_written": "Price of tokens written",
}
"""Labels of fields that are only a part of a setting."""
NAME_LENGTH = 300
"""Maximum number of characters of a name."""
TEXT_LENGTH = 8_000
"""Maximum number of characters of a system prompt."""

Form: TypeAlias = Mapping[str, object]
_TEXTS = ("system_prompt_a", "system_prompt_b")
"""Settings that are entered in a box of several lines."""
_READ_APART = ("model_a", "model_b", "method", "columns", "usd_per_million")
"""Settings without a field, or with fields that need more than plain parsing."""
_FLAG = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


class FieldError(SettingError):
    """The value of a field, or a choice, that cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        """The name of the field; of a choice, `name=value`."""


@dataclass(frozen=True, slots=True)
class FormRequest:
    """The comparison that the form describes."""

    config: DiffConfig
    """The settings of the run; model names may still be empty."""
    limits: Limits
    """The visitor's own limits."""
    where: Mapping[Side, Runner]
    """Where each model is to run."""


def read_form(form: object) -> FormRequest:
    """Parses a form. All fields are optional, numbers may be text, and unknown fields are ignored.

    Raises:
        SettingError: A field has the wrong type or is out of bounds (`FieldError`); the message uses the label on the
            page.
    """
    if not isinstance(form, dict):
        raise SettingError("Expected the fields of the form, got something else: reload the page")
    where = {side: _where(form, side) for side in SIDES}
    values: dict[str, Any] = {f"model_{side}": _model(form, side, where[side]) for side in SIDES}
    for name, each in described(DiffConfig).items():
        if each.setting.title and name not in _READ_APART and (value := _value(form, each)) not in (None, "", ()):
            values[name] = value
    values["method"] = tuple(_choices(form, "method", tuple(registry.METHODS)))
    config = DiffConfig(**values, usd_per_million=_price(form))
    _check_named(form, config)
    limits = Limits(_integer(form, "max_calls", 1, 10**9), _number(form, "max_usd", 0, 10**6))
    return FormRequest(config, limits, where)


def _value(form: Form, each: SettingInfo) -> Any:  # noqa: ANN401  of the setting's type
    """The value of a field; None or empty if it was left empty."""
    if each.several:
        return tuple(_lines(form, each.name)) if each.kind is str else _numbers(form, each)
    if each.kind in (int, float):
        low, high = max(each.low, 0), min(each.high, each.setting.most_on_page)
        return (_integer if each.kind is int else _number)(form, each.name, low, high)
    if each.kind is bool:
        return form.get(each.name) is True
    if each.name in _TEXTS:
        return _text(form, each.name)
    line = _line(form, each.name)
    return _by_providers(line) if line and each.setting.served else line


def _check_named(form: Form, config: DiffConfig) -> None:
    """Makes sure that a chosen option is filled in, because otherwise a default that nobody chose would be used.

    Raises:
        SettingError: A chosen option is not filled in.
    """
    if "method" in form and not config.method:
        raise FieldError("method", "Choose at least one method")
    if form.get("source") == "dataset" and config.prompts is None:
        raise FieldError("prompts", "Name the dataset of prompts, such as allenai/WildChat-1M")
    for plan in plans_of(config) if config.method else ():
        if missing := plan.not_named(config):
            raise FieldError(f"method={plan.name}", missing)


@lru_cache(maxsize=1)
def labels() -> Mapping[str, str]:
    """The labels of the settings, for the page and for messages."""
    every = described(DiffConfig) | described(Limits)
    return {name: each.setting.title for name, each in every.items() if each.setting.title} | _OWN_LABELS


def in_page_terms(message: str, *, public: bool) -> str:
    """Rewords a message for the page: field labels replace flags, and a public machine shows no shell commands.

    Args:
        message: The text of a `DiffingError`.
        public: Whether strangers use this machine.
    """
    return _FLAG.sub(lambda flag: _label(flag[0], flag[1].replace("-", "_")), for_page(message, public=public))


def _label(flag: str, name: str) -> str:
    label = labels().get(name)
    return flag if label is None else f"“{label}”"


def line_of(form: Form, name: str) -> str:
    """The text of a one-line field.

    Raises:
        SettingError: The value is not one line of text.
    """
    return _line(form, name)


def _where(form: Form, side: Side) -> Runner:
    return "providers" if form.get(f"where_{side}") == "providers" else "here"


def _model(form: Form, side: Side, where: Runner) -> str:
    name, revision = _name(form, side), _line(form, f"revision_{side}")
    if name and revision:
        ref = read_ref(name)
        if ref.prefixed or ref.parts[-1].revision is not None:
            raise FieldError(
                f"revision_{side}",
                f"{labels()[f'revision_{side}']} is {revision!r:.60}, but the name already names a revision: leave "
                "one of them out",
            )
        name = str(ref.at(revision))
    return _by_providers(name) if name and where == "providers" else name


def _name(form: Form, side: Side) -> str:
    """The model's name, also if a link to its page was pasted."""
    name = f"model_{side}"
    text = _line(form, name)
    try:
        link = read_hub_link(text)
    except SettingError as error:
        raise FieldError(name, f"{labels()[name]}: {error}") from None
    return text if link is None else str(link)


def _by_providers(name: str) -> str:
    return name if read_ref(name).prefixed else by_providers(name)


def _line(form: Form, name: str) -> str:
    """A one-line text, without surrounding spaces."""
    text = _string(form.get(name), name, NAME_LENGTH).strip()
    if _holds(text, "Cc", "Cs", "Zl", "Zp"):
        raise FieldError(name, f"{labels()[name]} holds a line break or a control character: expected one line of text")
    return text


def _text(form: Form, name: str) -> str:
    """A text of several lines; only whitespace counts as empty."""
    text = _string(form.get(name), name, TEXT_LENGTH).replace("\r\n", "\n")
    if _holds(text.translate(dict.fromkeys(map(ord, "\n\t"))), "Cc", "Cs"):
        raise FieldError(name, f"{labels()[name]} holds a control character: expected text")
    return text if text.strip() else ""


def _holds(text: str, *categories: str) -> bool:
    """Whether a text contains a character of one of these Unicode categories."""
    return any(unicodedata.category(character) in categories for character in text)


def _string(value: object, name: str, longest: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(name, f"{labels()[name]} is {type(value).__name__}, not a text: reload the page")
    if len(value) > longest:
        raise FieldError(name, f"{labels()[name]} has {len(value):,} characters: expected at most {longest:,}")
    return value


def _lines(form: Form, name: str) -> list[str]:
    """A list of choices; a single one need not be in a list."""
    value = form.get(name, [])
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) > 100:
        raise FieldError(name, f"{labels()[name]}: expected a list of choices, got something else: reload the page")
    return list(dict.fromkeys(_line({name: each}, name) for each in values))


def _numbers(form: Form, each: SettingInfo) -> tuple[float, ...]:
    """A list of numbers; a single one need not be in a list."""
    value = form.get(each.name, [])
    values = value if isinstance(value, list) else [value]
    if len(values) > 100:
        raise FieldError(each.name, f"{labels()[each.name]}: expected at most 100 numbers: reload the page")
    numbers = (_number({each.name: one}, each.name, each.low, each.high) for one in values)
    return tuple(number for number in numbers if number is not None)


def _choices(form: Form, name: str, choices: tuple[str, ...]) -> list[str]:
    chosen = _lines(form, name)
    for each in chosen:
        if each not in choices:
            raise FieldError(name, f"{labels()[name]}: {each!r:.60} is not known, expected {', '.join(choices)}")
    return chosen


def _integer(form: Form, name: str, low: float, high: float) -> int | None:
    number = _number(form, name, low, high)
    if number is not None and number != int(number):
        raise FieldError(name, f"{labels()[name]} is {number:g}: expected a whole number from {low:,} to {high:,}")
    return None if number is None else int(number)


def _number(form: Form, name: str, low: float, high: float) -> float | None:
    """A number within bounds; None if the field is empty."""
    value = form.get(name)
    if value is None or value == "":
        return None
    refused = FieldError(name, f"{labels()[name]} is {value!r:.40}: expected a number from {low:,} to {high:,}")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise refused
    try:
        number = float(value if not isinstance(value, str) else value[:30])
    except (ValueError, OverflowError):
        raise refused from None
    if not (isfinite(number) and low <= number <= high):
        raise refused
    return number


def _price(form: Form) -> str | None:
    read, written = (_number(form, f"price_{name}", 0, 10**6) for name in ("read", "written"))
    if read is None and written is None:
        return None
    if read is None or written is None:
        empty = "price_read" if read is None else "price_written"
        raise FieldError(empty, "Prices are needed for tokens read and for tokens written: fill in both, or none")
    return f"{read:g},{written:g}"
