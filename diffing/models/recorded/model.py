"""`RecordedModel`, a model that looks up its answers among recorded responses by the exact prompt.

`source` reads the rows of files and datasets, and `shapes` parses the formats in which tools write them.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from diffing.errors import SettingError
from diffing.model_ref import ModelPlace, ModelRef
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.recorded.shapes import RecordedAnswer, RecordingShape, named_columns, shape_of
from diffing.models.recorded.source import RecordedSource, beside, read_source
from diffing.rows.content import MOST_BYTES
from diffing.rows.table_files import RowPlace
from diffing.rows.turns import RowError
from diffing.types import Completion, Conversation

log = logging.getLogger(__name__)

_Key: TypeAlias = tuple[Conversation, int]
"""The messages of a prompt and a sample number."""
RecordedPrompt: TypeAlias = tuple[str | None, Conversation, str | None]
"""The id, messages and domain of a prompt that was answered."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One recorded response, with its position in the file."""

    place: RowPlace
    answer: RecordedAnswer


class RecordedModel:
    """A model that answers from recorded responses, which `open` reads."""

    remote = False
    """Always False, since no server is called."""

    def __init__(self, source: str, identity: str, shape: RecordingShape, records: Sequence[_Record]) -> None:
        self.id = identity
        """The `model` column's value, else `recorded:<file name>@<hash of the content>`."""
        self.source = source
        """The file or dataset, as the user wrote it."""
        self.shape = shape
        """The format of the responses."""
        self._records = records
        self._by_messages = _index(source, records)

    @classmethod
    def open(cls, source: str, *, columns: str | None = None, most: int = MOST_BYTES) -> "RecordedModel":
        """Reads recorded responses.

        Args:
            source: A file of responses in one of the shapes in `shapes`, a folder of such files, or a Hub dataset
                `user/name[@revision][:config][/split]`. For formats whose prompts are in a second file,
                `answers.jsonl+questions.jsonl` names both; otherwise the second is looked for beside the first.
            columns: The meaning of the columns, as `prompt=question,response=text`; None detects it.
            most: Maximum size of a file in bytes, unpacked.

        Raises:
            SettingError: There is no such file, a row cannot be used (with its line), or columns are missing.
            MissingExtraError: A format whose library is not installed.
            HubError: The Hub has no such dataset, or cannot be reached.
        """
        named = named_columns(columns) if columns else None
        read = read_source(source, most)
        if not read.rows:
            raise SettingError(f"{read.source} holds no rows; expected at least one with a prompt and a response")
        shape = named or shape_of(read.rows[0][1])
        records = _records(read, shape, most)
        log.info("%s: read as %s", read.source, shape.name)
        models = sorted({record.answer.model for record in records if record.answer.model is not None})
        if len(models) > 1:
            raise SettingError(
                f"{read.source} holds responses of {len(models)} models "
                f"({', '.join(repr(each[:60]) for each in models[:3])}{', ...' if len(models) > 3 else ''}). "
                "Give one file per model"
            )
        identity = models[0] if models else str(ModelRef(ModelPlace.RECORDED, read.name, read.digest[:12]))
        return cls(read.source, identity, shape, records)

    def __len__(self) -> int:
        """The number of responses."""
        return len(self._records)

    def prompts(self) -> list[RecordedPrompt]:
        """Every prompt once, in the order of the rows; empty if the file stores only ids of prompts."""
        first: dict[Conversation, RecordedPrompt] = {}
        for answer in (record.answer for record in self._records):
            if answer.messages:
                first.setdefault(answer.messages, (answer.id, answer.messages, answer.domain))
        return list(first.values())

    def join_by_id(self, messages: Mapping[str, Conversation]) -> None:
        """Adds the prompts to a file that stores only their ids.

        If the file has prompts, these are matched by their text only, because two files may use the same id for
        different prompts.
        """
        records = [
            record
            if record.answer.messages
            else replace(record, answer=replace(record.answer, messages=messages.get(record.answer.id or "", ())))
            for record in self._records
        ]
        self._by_messages = _index(self.source, records)

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Looks up the responses by the exact text of the conversations; of the sampling, only `sample` matters.

        Raises:
            SettingError: Conversations have no recorded response.
        """
        found = [self._by_messages.get((each, sampling.sample)) for each in conversations]
        missing = [each for each, completion in zip(conversations, found, strict=True) if completion is None]
        if missing:
            raise self._missing(missing, len(conversations), sampling.sample)
        completions = [completion for completion in found if completion is not None]
        for index, completion in enumerate(completions):
            if on_completion:
                on_completion(index, completion)
        return completions

    def _missing(self, missing: Sequence[Conversation], asked: int, sample: int) -> SettingError:
        samples = sorted({record.answer.sample for record in self._records})
        if sample not in samples:
            return SettingError(
                f"{self.source} has no sample {sample}, only {', '.join(map(str, samples[:5]))}. "
                "Further samples of a prompt need a `sample` column with their number"
            )
        example = " ".join(missing[0][-1].content.split())[:60] if missing[0] else ""
        return SettingError(
            f"{self.source} has no response to {len(missing)} of {asked} prompts, the first of them {example!r}. "
            "Both sides must hold responses to the same prompts"
        )


def common_prompts(recorded: Sequence[RecordedModel], *, only_common: bool = False) -> list[RecordedPrompt]:
    """The prompts that all recorded models answer, in the order of the first.

    Args:
        recorded: One or two models; if there are two, one may have only ids, by which it is then matched.
        only_common: Leave out prompts that one side lacks, instead of refusing.

    Raises:
        SettingError: No side has prompts, the sides do not answer the same prompts, or none is common.
    """
    own = {model.source: prompts for model in recorded if (prompts := model.prompts())}
    if not own:
        raise _without_prompts(recorded[0])
    for model in recorded:
        if model.source not in own:
            model.join_by_id({id_: messages for id_, messages, _ in next(iter(own.values())) if id_ is not None})
    keys = [{messages for _, messages, _ in prompts} for prompts in own.values()]
    common = set.intersection(*keys)
    if not common or (not only_common and any(each != common for each in keys)):
        sizes = " and ".join(f"{len(prompts)} in {source}" for source, prompts in own.items())
        raise SettingError(
            f"Both sides must answer the same prompts: there are {sizes}, of which {len(common)} are common. "
            + _alike(keys, common)
            + ("Compare only these with --only-common" if common else "Record both models on one set of prompts")
        )
    return [prompt for prompt in next(iter(own.values())) if prompt[1] in common]


def _alike(keys: Sequence[set[Conversation]], common: set[Conversation]) -> str:
    """A sentence on how many further prompts would be common if case and white space were ignored."""
    folded = [
        {tuple((each.role, " ".join(each.content.split()).casefold()) for each in one) for one in key - common}
        for key in keys
    ]
    alike = len(set.intersection(*folded))
    return f"{alike} more differ by case or white space alone. " if alike else ""


def _without_prompts(model: RecordedModel) -> SettingError:
    companion = model.shape.companion
    if companion is None:
        return SettingError(f"{model.source} has ids but no prompts. Give the prompts, with their ids, in a file")
    return SettingError(
        f"{model.source}, read as {model.shape.name}, has no prompts: expected the {companion.what} beside it, or as "
        f"{ModelRef(ModelPlace.RECORDED, model.source, companion='FILE')}, or with --prompts"
    )


def _records(read: RecordedSource, shape: RecordingShape, most: int) -> list[_Record]:
    companion = beside(read, shape, most)
    records: list[_Record] = []
    for place, row in read.rows:
        try:
            records += [_Record(place, answer) for answer in shape.read(row, companion)]
        except (RowError, SettingError) as error:
            raise SettingError(f"{read.source}, {place}: {error}") from None
    if not records:
        raise SettingError(f"{read.source}, read as {shape.name}, holds no responses")
    return records


def _index(source: str, records: Sequence[_Record]) -> dict[_Key, Completion]:
    """Completions by prompt and sample; ids and prompts must be unambiguous."""
    ids: dict[tuple[str, int], _Record] = {}
    prompts: dict[_Key, _Record] = {}
    for record in records:
        answer = record.answer
        if answer.id is not None:
            known = ids.setdefault((answer.id, answer.sample), record)
            if known is not record:
                raise SettingError(
                    f"{source}, {record.place}: id {answer.id[:60]!r} is already that of {known.place}. "
                    "Ids must be unique"
                )
        if not answer.messages:
            continue
        first = prompts.setdefault((answer.messages, answer.sample), record)
        if first.answer.completion != answer.completion:
            raise SettingError(
                f"{source}, {record.place}: the prompt of {first.place} again, with another response. "
                "Keep one, or number them 0, 1, ... in a `sample` column"
            )
    return {key: record.answer.completion for key, record in prompts.items()}
