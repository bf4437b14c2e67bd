"""A source in, prompts out: each in one of the two splits, in an order that a hash of its text decides.

Knows no model. Sources are the bundled set, a local file, and a dataset on the Hub (or a folder that holds one).
"""

from collections.abc import Iterable, Sequence

from diffing.errors import SettingError
from diffing.paths import path_of
from diffing.prompts.bundled_set import read_bundled
from diffing.prompts.files import SUFFIXES, read_file
from diffing.prompts.hub import open_dataset
from diffing.prompts.rows import Record, RowFilter
from diffing.prompts.split import fold, prompts_from, split_of, until_full
from diffing.rows.content import suffix_of
from diffing.types import Prompt

__all__ = ["Record", "fold", "load_prompts", "prompts_from", "split_of"]

ROWS_PER_PROMPT = 50
"""At most so many rows of a dataset are read per prompt asked for, lest a rare language reads a whole dataset."""
ROWS_AT_LEAST = 1000
"""Rows that are read in any case, where the dataset has them."""


def load_prompts(
    source: str = "bundled",
    *,
    train: int = 1000,
    heldout: int = 500,
    column: str | None = None,
    language: str | None = None,
    domains: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[Prompt, ...]:
    """Prompts of a source: those of train first, then those of held-out, each in the order of their hash.

    From a file or the bundled set, the first of each split in hash order are taken; from a dataset, which is streamed,
    the first of each split in the dataset's order, for which at most `ROWS_PER_PROMPT` rows per prompt are read. In
    both, asking for more in the same proportion only adds prompts. Where there are fewer, none is invented.

    Args:
        source: `bundled`; a file of prompts (JSON, JSON Lines, CSV, TSV, parquet or text); a dataset,
            `org/name[@revision][:config][/split]`; or a folder that holds one.
        train: How many prompts to find differences on, at most.
        heldout: How many prompts to test them on, at most.
        column: The column that holds the prompt or the conversation; found by its name where None.
        language: Only rows whose `language` column says so, by name or code: `English`, `en`.
        domains: Only prompts of these domains.
        seed: Another one gives another split.

    Raises:
        SettingError: The source cannot be read as prompts, or gives no held-out prompt.
        HubError: The dataset is missing, private, gated, or the Hub cannot be reached.
    """
    exact = False
    wanted = RowFilter(column=column, language=language, domains=tuple(domains) if domains else None)
    if source == "bundled":
        if column is not None or language is not None:
            raise SettingError("the bundled set has no columns and no languages to choose from; choose domains instead")
        records: Iterable[Record] = read_bundled(wanted.domains)
        name = source
    elif (path := path_of(source)).is_file() or suffix_of(path) in SUFFIXES:
        records = read_file(path, wanted)
        name, exact = path.name, True
    else:
        dataset = open_dataset(source)
        limit = ROWS_PER_PROMPT * (train + heldout) + ROWS_AT_LEAST
        records = until_full(dataset.records(wanted, limit=limit), train, heldout, seed=seed)
        name = dataset.name
    return prompts_from(records, name, train, heldout, seed=seed, exact=exact)
