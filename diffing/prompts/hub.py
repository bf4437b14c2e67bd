"""Streams prompts from a dataset on the Hub, or in a folder, with the `datasets` library.

`split` here is a split of the dataset, not our train or held-out split. Rows without a prompt are skipped and counted;
flags such as WildChat's `toxic` and `redacted` are ignored.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from diffing.errors import HubError, SettingError
from diffing.paths import existing
from diffing.prompts.files import SUFFIXES
from diffing.prompts.prompt_rows import Record, RowFilter
from diffing.rows.dataset_errors import one_line, reading_failures
from diffing.rows.turns import RowError

log = logging.getLogger(__name__)

SOURCE = re.compile(
    r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>refs/(?:pr|convert|heads|tags)/[^:/\s]+|[^:/\s]+))?(:(?P<config>[^/\s]+))?(/(?P<split>[\w.]+))?",
    re.ASCII,
)
"""The syntax of a dataset source: `org/name[@revision][:config][/split]`."""


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """One split of one dataset, at one commit."""

    name: str
    """The source that its prompts name."""
    repo: str
    """`org/name`, or a folder."""
    revision: str | None
    """Commit hash; None for a folder."""
    config: str | None
    """The configuration; None for the only one or the default."""
    split: str | None
    """The dataset's split; None for `train`, or for the only split."""

    def records(self, row_filter: RowFilter, *, limit: int, limit_with_domains: int) -> Iterator[Record]:
        """Yields the prompts that pass the filter among the first rows, in the dataset's order.

        Args:
            row_filter: The filter.
            limit: How many rows are read.
            limit_with_domains: How many rows are read if a prompt among the first `limit` rows has a domain.

        Raises:
            SettingError: There is no such configuration, split or column.
            HubError: The dataset cannot be read.
        """
        skipped = rows_read = 0
        with _dataset_errors(self.repo, self.name):
            for row in islice(self._rows(), limit_with_domains):
                if rows_read == limit:
                    break
                rows_read += 1
                try:
                    record = row_filter.record(row)
                except RowError:
                    skipped += 1
                    continue
                except SettingError as error:
                    raise SettingError(f"{self.name}: {error}") from None
                if record is not None:
                    limit = limit if record[2] is None else limit_with_domains
                    # a dataset's ids are dropped: different conversations may share their first turn
                    yield None, record[1], record[2]
        if skipped:
            log.warning("%s: %d of %d rows contain no prompt and were skipped", self.name, skipped, rows_read)

    def rows(self) -> Iterator[Mapping[str, object]]:
        """Streams all rows.

        Raises:
            SettingError: There is no such configuration or split.
            HubError: The dataset cannot be read.
        """
        with _dataset_errors(self.repo, self.name):
            yield from self._rows()

    def _rows(self) -> Iterator[Mapping[str, object]]:
        from datasets import load_dataset

        try:
            loaded: Any = load_dataset(self.repo, self.config, revision=self.revision, streaming=True)
        except ValueError as error:  # the message lists the existing configurations
            raise SettingError(f"{self.name}: {one_line(error)}") from None
        splits = list(loaded)
        split = self.split or ("train" if "train" in splits else splits[0] if len(splits) == 1 else None)
        if split not in splits:
            raise SettingError(
                f"{self.name}: expected one of the splits {', '.join(splits)}, got {self.split}; name one with /split"
            )
        yield from loaded[split]


def open_dataset(source: str) -> DatasetSource:
    """Resolves a source to one commit of a dataset.

    Args:
        source: `org/name[@revision][:config][/split]`, or a folder that `datasets` can load.

    Raises:
        SettingError: The source is not the name of a dataset.
        HubError: The dataset is missing, private, gated, or the Hub cannot be reached.
    """
    if (folder := existing(source)) and folder.is_dir() and folder.resolve().name:
        return DatasetSource(name=folder.resolve().name, repo=str(folder), revision=None, config=None, split=None)
    match = SOURCE.fullmatch(source)
    if match is None:
        raise SettingError(
            f"{source!r:.300}: expected `bundled`, a file of prompts that ends in {', '.join(SUFFIXES)}, or a "
            "dataset as org/name[@revision][:config][/split]; there is no such file"
        )
    from diffing.hub import check_data_files, hub_api, hub_errors

    with hub_errors(match["repo"], revision=match["revision"], repo_type="dataset"):
        api = hub_api()
        sha = api.dataset_info(match["repo"], revision=match["revision"]).sha
        # a gated one is described to everybody; `datasets` would meet the gate and say that there is no such dataset
        api.auth_check(match["repo"], repo_type="dataset")
    check_data_files(api, match["repo"], str(sha))
    name = f"{match['repo']}@{sha}" + (f":{match['config']}" if match["config"] else "")
    name += f"/{match['split']}" if match["split"] else ""
    return DatasetSource(name=name, repo=match["repo"], revision=sha, config=match["config"], split=match["split"])


@contextmanager
def _dataset_errors(repo: str, name: str) -> Iterator[None]:
    """Turns the exceptions of the Hub's client and of `datasets` into one line.

    Raises:
        HubError: In place of their exceptions.
    """
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    from diffing.hub import hub_errors

    with hub_errors(repo, repo_type="dataset"):
        try:
            yield
        except (HfHubHTTPError, LocalEntryNotFoundError):  # for `hub_errors`; the latter is also a FileNotFoundError
            raise
        except reading_failures() as error:
            raise HubError(f"{name}: the dataset cannot be read: {one_line(error)}") from None
