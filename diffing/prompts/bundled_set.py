"""Reads the prompts that are part of the package: one file per domain in `bundled/`, written for this project."""

from importlib.resources import files

from diffing.errors import SettingError
from diffing.prompts.files import read_records
from diffing.prompts.rows import Record, RowFilter


def bundled_domains() -> tuple[str, ...]:
    """The domains of the bundled set, in alphabetical order."""
    names = (entry.name for entry in files("diffing.prompts").joinpath("bundled").iterdir())
    return tuple(sorted(name.removesuffix(".jsonl") for name in names if name.endswith(".jsonl")))


def read_bundled(domains: tuple[str, ...] | None = None) -> list[Record]:
    """The bundled prompts of some domains, or of all.

    Raises:
        SettingError: There is no such domain.
    """
    there = bundled_domains()
    unknown = [domain for domain in domains or () if domain not in there]
    if unknown:
        raise SettingError(
            f"expected domains of the bundled set ({', '.join(there)}), got {', '.join(map(repr, unknown))}"
        )
    records: list[Record] = []
    for domain in there if domains is None else sorted(set(domains)):
        content = files("diffing.prompts").joinpath("bundled", f"{domain}.jsonl").read_bytes()
        records += read_records(f"{domain}.jsonl", ".jsonl", content, RowFilter())
    return records
