"""A dataset on the Hub in, records out, streamed. A folder that holds a dataset is read the same way.

Knows no split of ours: `split` here is the dataset's. Rows without a prompt are skipped and counted; flags such as
WildChat's `toxic` and `redacted` are not looked at.
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
from diffing.prompts.rows import Record, RowFilter
from diffing.rows.dataset_errors import reading_failures, told
from diffing.rows.turns import RowError

log = logging.getLogger(__name__)

SOURCE = re.compile(
    r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>refs/(?:pr|convert|heads|tags)/[^:/\s]+|[^:/\s]+))?(:(?P<config>[^/\s]+))?(/(?P<split>[\w.]+))?",
    re.ASCII,
)
"""`org/name[@revision][:config][/split]`."""


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """One split of one dataset, at one commit."""

    name: str
    """What prompts say they come from."""
    repo: str
    """`org/name`, or a folder."""
    revision: str | None
    """Commit sha; None for a folder."""
    config: str | None
    """None where the dataset has one configuration or a default."""
    split: str | None
    """None for `train`, or for the only one."""

    def records(self, wanted: RowFilter, *, limit: int) -> Iterator[Record]:
        """The wanted prompts among the first `limit` rows, in the dataset's order.

        Raises:
            SettingError: No such configuration, split or column.
            HubError: The dataset cannot be read.
        """
        skipped = rows_read = 0
        with _dataset_errors(self.repo, self.name):
            for row in islice(self._rows(), limit):
                rows_read += 1
                try:
                    record = wanted.record(row)
                except RowError:
                    skipped += 1
                    continue
                except SettingError as error:
                    raise SettingError(f"{self.name}: {error}") from None
                if record is not None:
                    # a dataset's ids name conversations, which may share their first turn, or nothing at all
                    yield None, record[1], record[2]
        if skipped:
            log.warning("%s: %d of %d rows hold no prompt and were skipped", self.name, skipped, rows_read)

    def _rows(self) -> Iterator[Mapping[str, object]]:
        """All rows, streamed."""
        from datasets import load_dataset

        try:
            loaded: Any = load_dataset(self.repo, self.config, revision=self.revision, streaming=True)
        except ValueError as error:  # names the configurations there are
            raise SettingError(f"{self.name}: {told(error)}") from None
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
        SettingError: This is no dataset's name.
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
    """Turns what the Hub's client and `datasets` raise into one line.

    Raises:
        HubError: In place of theirs.
    """
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    from diffing.hub import hub_errors

    with hub_errors(repo, repo_type="dataset"):
        try:
            yield
        except (HfHubHTTPError, LocalEntryNotFoundError):  # of the client, and the latter a FileNotFoundError too
            raise
        except reading_failures() as error:
            raise HubError(f"{name}: the dataset cannot be read: {told(error)}") from None
