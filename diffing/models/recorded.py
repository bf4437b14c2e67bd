"""Responses recorded before, as a model: what is asked is looked up by the prompt. Makes no text.

It knows only the columns it reads: `prompt` or `messages`, `response`, optional `id`, `model`, `domain`, `finish`,
`sample`. Where the rows come from, `recorded_rows` knows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, get_args

from diffing.errors import SettingError
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.recorded_rows import Place, Rows, read_rows
from diffing.models.surrogates import without_surrogates
from diffing.models.thinking import split_thinking
from diffing.types import Completion, Conversation, Finish, Message, Role

_Folded: TypeAlias = tuple[tuple[str, str], ...]
"""Messages after folding white space and case: (role, text)."""
_Key: TypeAlias = tuple[_Folded, int]
"""Folded messages and sample number."""
RecordedPrompt: TypeAlias = tuple[str | None, Conversation, str | None]
"""Id, messages and domain of a prompt that was answered."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One row, checked."""

    place: Place
    id: str | None
    messages: Conversation
    """Empty where the file has no prompts, only ids."""
    completion: Completion
    sample: int
    model: str | None
    domain: str | None


class RecordedModel:
    """Answers from recorded responses. `open` reads them."""

    remote = False
    """It asks no server."""

    def __init__(self, source: str, identity: str, records: Sequence[_Record]) -> None:
        self.id = identity
        """The `model` column's value, else `recorded:<file name>@<hash of the content>`."""
        self.source = source
        """What was opened, as the user gave it."""
        self._records = records
        self._by_messages = _index(source, records)

    @classmethod
    def open(cls, source: str) -> "RecordedModel":
        """Reads recorded responses.

        Args:
            source: A JSONL, CSV or parquet file, a folder of such files, or a Hub dataset
                `user/name[@revision][:config][/split]`.

        Raises:
            SettingError: There is no such file, a row cannot be used (with its line), or columns are missing.
            HubError: The Hub has no such dataset, or cannot be reached.
        """
        rows = read_rows(source)
        records = [_record(rows, place, row) for place, row in rows.rows]
        if not records:
            raise SettingError(f"{rows.source} holds no rows; expected at least one with a prompt and a response")
        models = sorted({record.model for record in records if record.model is not None})
        if len(models) > 1:
            raise SettingError(
                f"{rows.source} holds responses of {len(models)} models "
                f"({', '.join(repr(each[:60]) for each in models[:3])}{', ...' if len(models) > 3 else ''}). "
                "Give one file per model"
            )
        return cls(rows.source, models[0] if models else f"recorded:{rows.name}@{rows.digest[:12]}", records)

    def prompts(self) -> list[RecordedPrompt]:
        """Every prompt once, in the order of the rows; empty where the file has ids but no prompts of its own."""
        first: dict[_Folded, RecordedPrompt] = {}
        for record in self._records:
            if record.messages:
                first.setdefault(_folded(record.messages), (record.id, record.messages, record.domain))
        return list(first.values())

    def join_by_id(self, messages: Mapping[str, Conversation]) -> None:
        """Tells a file that has ids but no prompts what the ids stand for.

        A file with prompts is joined on their text alone: an id that two files give to different prompts joins nothing.
        """
        records = [
            record if record.messages else replace(record, messages=messages.get(record.id or "", ()))
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
        """Looks up the responses, after folding white space and case. Of the sampling, only `sample` matters.

        Raises:
            SettingError: Conversations have no recorded response.
        """
        found = [self._by_messages.get((_folded(each), sampling.sample)) for each in conversations]
        missing = [each for each, completion in zip(conversations, found, strict=True) if completion is None]
        if missing:
            raise self._missing(missing, len(conversations), sampling.sample)
        completions = [completion for completion in found if completion is not None]
        for index, completion in enumerate(completions):
            if on_completion:
                on_completion(index, completion)
        return completions

    def _missing(self, missing: Sequence[Conversation], asked: int, sample: int) -> SettingError:
        samples = sorted({record.sample for record in self._records})
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
        recorded: One or two models; of two, one may have ids only, and is then joined on them.
        only_common: Leave out prompts that one side lacks, instead of refusing.

    Raises:
        SettingError: No side has prompts, the sides do not answer the same prompts, or none is common.
    """
    own = {model.source: prompts for model in recorded if (prompts := model.prompts())}
    if not own:
        raise SettingError(f"{recorded[0].source} has ids but no prompts. Give the prompts, with their ids, in a file")
    for model in recorded:
        if model.source not in own:
            model.join_by_id({id_: messages for id_, messages, _ in next(iter(own.values())) if id_ is not None})
    keys = [{_folded(messages) for _, messages, _ in prompts} for prompts in own.values()]
    common = set.intersection(*keys)
    if not common or (not only_common and any(each != common for each in keys)):
        sizes = " and ".join(f"{len(prompts)} in {source}" for source, prompts in own.items())
        raise SettingError(
            f"Both sides must answer the same prompts: there are {sizes}, of which {len(common)} are common. "
            + ("Compare only these with --only-common" if common else "Record both models on one set of prompts")
        )
    return [prompt for prompt in next(iter(own.values())) if _folded(prompt[1]) in common]


def _index(source: str, records: Sequence[_Record]) -> dict[_Key, Completion]:
    """Completions by prompt and sample; ids and prompts must be unambiguous."""
    ids: dict[tuple[str, int], Place] = {}
    prompts: dict[_Key, _Record] = {}
    for record in records:
        if record.id is not None:
            known = ids.setdefault((record.id, record.sample), record.place)
            if known is not record.place:
                raise SettingError(
                    f"{source}, {record.place}: id {record.id[:60]!r} is already that of {known}. Ids must be unique"
                )
        if not record.messages:
            continue
        first = prompts.setdefault((_folded(record.messages), record.sample), record)
        if first.completion != record.completion:
            raise SettingError(
                f"{source}, {record.place}: the prompt of {first.place} again, with another response. "
                "Keep one, or number them 0, 1, ... in a `sample` column"
            )
    return {key: record.completion for key, record in prompts.items()}


def _folded(messages: Conversation) -> _Folded:
    return tuple((message.role, " ".join(message.content.split()).casefold()) for message in messages)


def _record(rows: Rows, place: Place, row: Mapping[str, object]) -> _Record:
    where = f"{rows.source}, {place}"
    if "response" not in row or not {"prompt", "messages", "id"} & row.keys():
        raise SettingError(
            f"{where}: expected columns `prompt` (or `messages`, or `id`) and `response`, "
            f"got {', '.join(repr(name[:30]) for name in list(row)[:12]) or 'none'}"
        )
    response = row["response"]
    if not isinstance(response, str):
        raise SettingError(f"{where}: `response` must be text (it may be empty), got {_named(response)}")
    text, thinking = split_thinking(without_surrogates(response))
    finish = _optional_text(where, row, "finish") or "stop"
    if finish not in get_args(Finish):
        raise SettingError(f"{where}: `finish` must be one of {', '.join(get_args(Finish))}, got {finish[:30]!r}")
    return _Record(
        place=place,
        id=_identifier(where, row),
        messages=_messages(where, row),
        completion=Completion(text=text, finish=finish, thinking=thinking),  # type: ignore[arg-type]
        sample=_sample(where, row),
        model=_optional_text(where, row, "model"),
        domain=_optional_text(where, row, "domain"),
    )


def _messages(where: str, row: Mapping[str, object]) -> Conversation:
    turns = row.get("messages")
    if isinstance(turns, str):  # a CSV file holds lists as JSON
        try:
            turns = json.loads(turns)
        except ValueError:
            raise SettingError(f"{where}: `messages` must be a list of role and content as JSON") from None
    if turns is None:
        if "prompt" not in row and "messages" not in row:
            return ()
        prompt = row.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise SettingError(f"{where}: `prompt` must be text that is not empty, got {_named(prompt)}")
        return (Message("user", without_surrogates(prompt)),)
    if not isinstance(turns, Sequence) or not turns or not all(_is_turn(turn) for turn in turns):
        raise SettingError(
            f"{where}: `messages` must be a list of {{role, content}}, with roles system, user or assistant"
        )
    messages = tuple(Message(turn["role"], without_surrogates(turn["content"])) for turn in turns)
    if messages[-1].role != "user":
        raise SettingError(f"{where}: the last of `messages` must be the user's, got the {messages[-1].role}'s")
    return messages


def _is_turn(turn: object) -> bool:
    return isinstance(turn, Mapping) and turn.get("role") in get_args(Role) and isinstance(turn.get("content"), str)


def _identifier(where: str, row: Mapping[str, object]) -> str | None:
    value = row.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _optional_text(where, row, "id")


def _optional_text(where: str, row: Mapping[str, object], column: str) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise SettingError(f"{where}: `{column}` must be text, got {_named(value)}")
    return without_surrogates(value)


def _sample(where: str, row: Mapping[str, object]) -> int:
    value = row.get("sample")
    if value is None or value == "":
        return 0
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise SettingError(f"{where}: `sample` must be a number 0, 1, ..., got {text[:30]!r}")
    return int(text)


def _named(value: object) -> str:
    if value is None:
        return "null"
    return "empty text" if isinstance(value, str) else f"a {type(value).__name__}"
