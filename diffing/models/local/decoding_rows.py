"""Converts conversations to rows of tokens for decoding, and finished rows to completions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.models.base import Sampling
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.decoding import Choose, DecodingRow
from diffing.models.local.template import ConversationRefusedError
from diffing.models.local.token_sampling import draw, noise_key
from diffing.types import Completion, Conversation

if TYPE_CHECKING:
    import torch


def row_of(
    index: int, conversation: Conversation, sampling: Sampling, chat: Chat, context: int | None, embeddings: int
) -> DecodingRow | Completion:
    """Makes the row of a conversation, or a completion that says why it cannot be answered.

    Args:
        index: The index of the conversation in the result.
        conversation: The conversation.
        sampling: The settings of sampling, with the maximum length of the answer.
        chat: The model's tokenizer and template.
        context: Tokens the model can read and write together; None without a limit.
        embeddings: Tokens the model knows.
    """
    try:
        prompt = chat.encode(conversation)
    except ConversationRefusedError as error:
        return Completion(text="", finish="rejected", detail=str(error))
    room = sampling.max_new_tokens if context is None else context - len(prompt)
    if room < 1:
        detail = f"prompt of {len(prompt)} tokens, the model reads at most {context} with its answer"
        return Completion(text="", finish="rejected", prompt_tokens=len(prompt), detail=detail)
    if max(prompt) >= embeddings:  # on a GPU, an index error would end the whole process
        detail = f"a word of it is token {max(prompt)}, the model knows {embeddings}"
        return Completion(text="", finish="rejected", prompt_tokens=len(prompt), detail=detail)
    return DecodingRow(index, prompt, min(sampling.max_new_tokens, room), noise_key(conversation, sampling))


def completion_of(row: DecodingRow, chat: Chat) -> Completion:
    """Makes the completion of a finished row."""
    assert row.finish is not None
    stopped = row.finish == "stop" and row.written[-1] in chat.stop_ids
    text, thinking = chat.answer(row.prompt, row.written[:-1] if stopped else row.written)
    failed = row.finish == "error"  # the text of a failed row is not an answer
    return Completion(
        text="" if failed else text,
        finish=row.finish,
        thinking=None if failed else thinking,
        prompt_tokens=len(row.prompt),
        completion_tokens=len(row.written),
        detail=row.detail,
    )


def chooser(sampling: Sampling) -> Choose:
    """A function that chooses each row's next token with the row's own noise."""

    def choose(logits: "torch.Tensor", rows: Sequence[DecodingRow]) -> list[int]:
        return draw(logits, sampling, [row.key for row in rows], [len(row.written) for row in rows])

    return choose
