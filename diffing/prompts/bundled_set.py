"""Reads the prompts that are part of the package: one file per domain in `bundled/`, written for this project.

The set has versions, so that a run can be repeated after the set has grown. A version adds files and may rename
domains; ids and texts never change, and with them the splits.
"""

import re
from functools import cache
from importlib.resources import files

from diffing.errors import SettingError
from diffing.prompts.files import read_records
from diffing.prompts.prompt_rows import Record, RowFilter

NEWEST = 2
"""The version of the set that `bundled` stands for."""
RENAMED = {
    "borderline-harmless": "borderline: wordplay",
    "coding": "code: programming",
    "creative-writing": "writing: fiction",
    "emotional-support": "advice: feelings",
    "facts": "questions: facts",
    "false-premises-and-sycophancy": "questions: false premises",
    "health-advice": "advice: health",
    "identity": "self: identity",
    "instruction-constraints": "writing: strict formats",
    "law-advice": "advice: law",
    "long-context": "questions: long texts",
    "maths": "questions: maths",
    "money-advice": "advice: money",
    "multilingual": "languages: mixed",
    "opinions-and-politics": "self: opinions",
    "relationships": "advice: relationships",
    "roleplay": "writing: roleplay",
    "safety-sensitive": "borderline: risky situations",
    "summarise-and-edit": "writing: editing",
}
"""The domains of version 1, which are also the names of its files, with their names since version 2."""
_SOURCE = re.compile(r"bundled(?:@(.*))?", re.DOTALL)


def is_bundled(source: str) -> bool:
    """Whether a source of prompts is the bundled set, in whichever version."""
    return _SOURCE.fullmatch(source) is not None


def version_of(source: str) -> int:
    """The version of the bundled set that a source names: `bundled` or `bundled@1`.

    Raises:
        SettingError: There is no such version.
    """
    named = _SOURCE.fullmatch(source)
    version = str(NEWEST) if named is None or named[1] is None else named[1]
    if version not in map(str, range(1, NEWEST + 1)):
        raise SettingError(
            f"expected a version of the bundled set from bundled@1 to bundled@{NEWEST}, got {source!r:.100}"
        )
    return int(version)


def pinned(source: str) -> str:
    """The source with its version: `bundled` stands for another version when the set has grown."""
    return f"bundled@{version_of(source)}"


def kind_of(domain: str) -> str | None:
    """The kind of a domain: `advice` of `advice: health`; None if its name does not begin with a kind."""
    kind, colon, topic = domain.partition(": ")
    return kind if colon and kind.strip() and topic.strip() else None


def bundled_domains(version: int = NEWEST) -> tuple[str, ...]:
    """The domains of the bundled set, in alphabetical order."""
    return tuple(sorted(_records_by_domain(version)))


def read_bundled(domains: tuple[str, ...] | None = None, version: int = NEWEST) -> list[Record]:
    """The bundled prompts of some domains or kinds of domains, or of all.

    Raises:
        SettingError: There is no such domain or kind.
    """
    there = _records_by_domain(version)
    names = {*there, *map(kind_of, there)}
    unknown = [name for name in domains or () if name not in names]
    if unknown:
        raise SettingError(
            f"expected domains of the bundled set ({', '.join(sorted(there))}), got {', '.join(map(repr, unknown))}"
        )
    chosen = set(there) if domains is None else {name for name in there if {name, kind_of(name)} & set(domains)}
    return [record for name in sorted(chosen) for record in there[name]]


@cache
def _records_by_domain(version: int) -> dict[str, list[Record]]:
    """All prompts of a version by domain."""
    found: dict[str, list[Record]] = {}
    for entry in files("diffing.prompts").joinpath("bundled").iterdir():
        name = entry.name.removesuffix(".jsonl")
        if name == entry.name or (version == 1 and name not in RENAMED):
            continue
        for given_id, messages, domain in read_records(entry.name, ".jsonl", entry.read_bytes(), RowFilter()):
            domain = str(domain) if version == 1 else RENAMED.get(name, str(domain))
            found.setdefault(domain, []).append((given_id, messages, domain))
    return found
