"""`load_prompts`: loads prompts from a source and assigns each to the train or held-out split by a hash of its text.

A source is the bundled set, a local file, or a dataset on the Hub or in a folder.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from diffing.errors import SettingError
from diffing.paths import path_of
from diffing.prompts.bundled_set import is_bundled, read_bundled, version_of
from diffing.prompts.files import SUFFIXES, read_file
from diffing.prompts.hub import open_dataset
from diffing.prompts.prompt_rows import Record, RowFilter
from diffing.prompts.split import RECORDS_FOR_DOMAINS, first_records, fold, prompts_from, split_of
from diffing.rows.content import suffix_of
from diffing.types import Prompt

__all__ = ["Record", "fold", "load_prompts", "prompts_from", "split_of"]

ROWS_PER_PROMPT = 50
"""Maximum number of dataset rows read per requested prompt, so that a rare language does not read a whole dataset."""
ROWS_AT_LEAST = 1000
"""Number of rows that may be read in any case."""


def load_prompts(
    source: str = "bundled",
    *,
    train: int = 1000,
    heldout: int = 500,
    column: str | None = None,
    language: str | None = None,
    domains: Sequence[str] | None = None,
    seed: int = 0,
    balance: Literal["domains", "none"] = "domains",
) -> tuple[Prompt, ...]:
    """Loads the prompts of a source: train prompts first, then held-out prompts, each in the order of their hash.

    Each split takes prompts evenly over the domains of the source: no domain has two prompts more than another, unless
    the other has no more to give. Of each domain, the first prompts in hash order are taken. A dataset is streamed, and
    the first prompts in the dataset's order are taken: from the rows that are needed to fill both splits, or from
    `RECORDS_FOR_DOMAINS` rows if they have domains. At most `ROWS_PER_PROMPT` rows per prompt are read in search of
    prompts. In all cases, requesting more prompts in the same proportion only adds prompts. If the source has fewer
    prompts than requested, all of them are returned.

    Args:
        source: `bundled`, or a version of it such as `bundled@1`; a file of prompts (JSON, JSON Lines, CSV, TSV,
            parquet or text); a dataset, `org/name[@revision][:config][/split]`; or a folder that contains a dataset.
        train: Maximum number of train prompts.
        heldout: Maximum number of held-out prompts.
        column: The column of the prompt or the conversation; None finds it by its name.
        language: Use only rows with this value in the `language` column, by name or code: `English`, `en`.
        domains: Use only prompts of these domains. The bundled set also takes kinds, such as `advice`.
        seed: The seed of the split.
        balance: `none` takes the first prompts regardless of their domains.

    Raises:
        SettingError: The source cannot be read as prompts, or a split has no prompts.
        HubError: The dataset is missing, private, gated, or the Hub cannot be reached.
    """
    exact = False
    row_filter = RowFilter(column=column, language=language, domains=tuple(domains) if domains else None)
    if is_bundled(source):
        if column is not None or language is not None:
            raise SettingError("the bundled set has no columns and no languages to choose from; choose domains instead")
        records: Iterable[Record] = read_bundled(row_filter.domains, version_of(source))
        name = "bundled"
    elif (path := path_of(source)).is_file() or suffix_of(path) in SUFFIXES or (path.exists() and not path.is_dir()):
        records = read_file(path, row_filter)
        name, exact = path.name, True
    else:
        balance = "none" if len(row_filter.domains or ()) == 1 else balance
        name, read = _read_dataset(source, row_filter, train + heldout, balance)
        records = first_records(read, train, heldout, seed=seed, balance=balance)
    return prompts_from(records, name, train, heldout, seed=seed, exact=exact, balance=balance)


def _read_dataset(
    source: str, row_filter: RowFilter, prompts: int, balance: Literal["domains", "none"]
) -> tuple[str, Iterable[Record]]:
    """The name of a dataset, and as many of its records as may be read in search of a number of prompts."""
    dataset = open_dataset(source)
    limit = ROWS_PER_PROMPT * prompts + ROWS_AT_LEAST
    most = limit if balance == "none" else max(limit, RECORDS_FOR_DOMAINS)
    return dataset.name, dataset.records(row_filter, limit=limit, limit_with_domains=most)
