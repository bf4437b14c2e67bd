"""The form as a browser sends it, read strictly into a config. Anybody can send anything: nothing here is believed."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

from diffing.config import METHODS, DiffConfig, Limits
from diffing.errors import SettingError
from diffing.hub import for_page
from diffing.model_ref import by_providers, read_ref
from diffing.types import SIDES, Side
from diffing.view.before.places import Where

LABELS = {
    "model_a": "Model A",
    "model_b": "Model B",
    "revision_a": "Revision of A",
    "revision_b": "Revision of B",
    "system_prompt_a": "System prompt of A",
    "system_prompt_b": "System prompt of B",
    "columns_a": "Columns of A",
    "columns_b": "Columns of B",
    "prompts": "Dataset",
    "domain": "Domains",
    "prompt_column": "Column",
    "language": "Language",
    "train": "Train prompts",
    "heldout": "Held-out prompts",
    "pool": "Pool",
    "suspect": "What may differ",
    "method": "Methods",
    "llm": "LLM",
    "second_judge": "Second judge",
    "judging": "Judging",
    "reader": "Reader",
    "sae": "SAE",
    "max_new_tokens": "Tokens per response",
    "temperature": "Temperature",
    "seed": "Seed",
    "sample_b": "Sample of B",
    "max_calls": "Calls at most",
    "max_usd": "Dollars at most",
    "price_read": "Price of tokens read",
    "price_written": "Price of tokens written",
}
"""What the fields are called, on the page and in what is said of them."""
NAME_LENGTH = 300
"""Characters of one name, at most."""
TEXT_LENGTH = 8_000
"""Characters of a system prompt, at most."""
"""What begins a model string that says by itself where the model is."""

Form: TypeAlias = Mapping[str, object]
_INTEGERS = {
    "train": (1, 100_000),
    "heldout": (1, 100_000),
    "pool": (3, 1_000_000),
    "max_new_tokens": (1, 100_000),
    "seed": (0, 2**31 - 1),
    "sample_b": (0, 1_000),
}
_LINES = ("columns_a", "columns_b", "prompts", "prompt_column", "language", "suspect", "reader", "sae")
_LLMS = ("llm", "second_judge")
_FLAG = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
_FLAGS = LABELS | {
    "usd_per_million": "the prices of tokens",
    "columns": "Columns",
    "model_a": "Model A",
    "model_b": "Model B",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form asks for."""

    config: DiffConfig
    """The run; names may be empty still."""
    limits: Limits
    """The visitor's own."""
    where: Mapping[Side, Where]
    """Where each model is to run."""


def read_form(form: object) -> Wanted:
    """Reads a form: fields by name, all optional, numbers as text or numbers. Fields that are not known are ignored.

    Raises:
        SettingError: A field of another type, or out of bounds; one line that names it as the page does.
    """
    if not isinstance(form, dict):
        raise SettingError("Expected the fields of the form, got something else: reload the page")
    where = {side: _where(form, side) for side in SIDES}
    values: dict[str, Any] = {f"model_{side}": _model(form, side, where[side]) for side in SIDES}
    values |= {f"system_prompt_{side}": _text(form, f"system_prompt_{side}") or None for side in SIDES}
    values |= {name: number for name in _INTEGERS if (number := _integer(form, name, *_INTEGERS[name])) is not None}
    values |= {name: line for name in _LINES if (line := _line(form, name))}
    values |= {name: _by_providers(line) for name in _LLMS if (line := _line(form, name))}
    values["method"] = tuple(_choices(form, "method", METHODS))
    values["domain"] = tuple(_lines(form, "domain"))
    if (temperature := _number(form, "temperature", 0, 10)) is not None:
        values["temperature"] = temperature
    if judging := _line(form, "judging"):
        values["judging"] = judging
    _check_named(form, values)
    limits = Limits(_integer(form, "max_calls", 1, 10**9), _number(form, "max_usd", 0, 10**6))
    return Wanted(DiffConfig(**values, usd_per_million=_price(form)), limits, where)


def _check_named(form: Form, values: Mapping[str, Any]) -> None:
    """What was chosen has to be named: otherwise a default would run that nobody asked for.

    Raises:
        SettingError: It is not.
    """
    if "method" in form and not values["method"]:
        raise SettingError("Choose a method, or several")
    if form.get("source") == "dataset" and "prompts" not in values:
        raise SettingError("Name the dataset of prompts, such as allenai/WildChat-1M")
    if "llm" in values["method"] and "llm" not in values:
        raise SettingError("Name the LLM that describes and judges, such as Qwen/Qwen3-32B")
    if "sae" in values["method"] and not {"reader", "sae"} & set(values):
        raise SettingError("Name a reader, its SAE, or both")


def said(message: str, *, public: bool) -> str:
    """A message in the words of the page: fields instead of flags, and on a public machine nothing of its shell.

    Args:
        message: Of a `DiffingError`.
        public: Whether strangers use this machine.
    """
    return _FLAG.sub(lambda flag: _label(flag[0], flag[1].replace("-", "_")), for_page(message, public=public))


def _label(flag: str, name: str) -> str:
    label = _FLAGS.get(name)
    return flag if label is None else f"“{label}”"


def line_of(form: Form, name: str) -> str:
    """One field of one line.

    Raises:
        SettingError: It is no such thing.
    """
    return _line(form, name)


def _where(form: Form, side: Side) -> Where:
    return "providers" if form.get(f"where_{side}") == "providers" else "here"


def _model(form: Form, side: Side, where: Where) -> str:
    name, revision = _line(form, f"model_{side}"), _line(form, f"revision_{side}")
    if name and revision:
        ref = read_ref(name)
        if ref.prefixed or ref.parts[-1].revision is not None:
            raise SettingError(
                f"{LABELS[f'revision_{side}']} is {revision!r:.60}, but the name says already what is taken: leave one "
                "of them out"
            )
        name = str(ref.at(revision))
    return _by_providers(name) if name and where == "providers" else name


def _by_providers(name: str) -> str:
    return name if read_ref(name).prefixed else by_providers(name)


def _line(form: Form, name: str) -> str:
    """A text of one line, without spaces around it."""
    text = _string(form.get(name), name, NAME_LENGTH).strip()
    if _holds(text, "Cc", "Cs", "Zl", "Zp"):
        raise SettingError(f"{LABELS[name]} holds a line break or a control character: expected one line of text")
    return text


def _text(form: Form, name: str) -> str:
    """A text of several lines; nothing but spaces is nothing."""
    text = _string(form.get(name), name, TEXT_LENGTH).replace("\r\n", "\n")
    if _holds(text.translate(dict.fromkeys(map(ord, "\n\t"))), "Cc", "Cs"):
        raise SettingError(f"{LABELS[name]} holds a control character: expected text")
    return text if text.strip() else ""


def _holds(text: str, *categories: str) -> bool:
    """Whether a text holds characters of some of Unicode's categories."""
    return any(unicodedata.category(character) in categories for character in text)


def _string(value: object, name: str, longest: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SettingError(f"{LABELS[name]} is no text but {type(value).__name__}: reload the page")
    if len(value) > longest:
        raise SettingError(f"{LABELS[name]} has {len(value):,} characters: expected at most {longest:,}")
    return value


def _lines(form: Form, name: str) -> list[str]:
    """Several choices; one alone may come as itself."""
    value = form.get(name, [])
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) > 100:
        raise SettingError(f"{LABELS[name]}: expected a list of choices, got something else: reload the page")
    return list(dict.fromkeys(_line({name: each}, name) for each in values))


def _choices(form: Form, name: str, choices: tuple[str, ...]) -> list[str]:
    chosen = _lines(form, name)
    for each in chosen:
        if each not in choices:
            raise SettingError(f"{LABELS[name]}: {each!r:.60} is not known, expected {', '.join(choices)}")
    return chosen


def _integer(form: Form, name: str, low: int, high: int) -> int | None:
    number = _number(form, name, low, high)
    if number is not None and number != int(number):
        raise SettingError(f"{LABELS[name]} is {number:g}: expected a whole number from {low:,} to {high:,}")
    return None if number is None else int(number)


def _number(form: Form, name: str, low: float, high: float) -> float | None:
    """A number within bounds; None where the field is empty."""
    value = form.get(name)
    if value is None or value == "":
        return None
    refused = SettingError(f"{LABELS[name]} is {value!r:.40}: expected a number from {low:,} to {high:,}")
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
        raise SettingError("Prices are needed for tokens read and for tokens written: fill in both, or none")
    return f"{read:g},{written:g}"
