"""Decodes token ids and splits thinking off the answer for tokenizers whose thinking tags are special tokens.

Special tokens are removed from the output of a model. In some vocabularies the thinking tags are special tokens too,
and without them the thinking would run into the answer.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.models.channels import MARKS as CHANNEL_MARKS
from diffing.models.thinking import MARKS, opened_thinking, split_thinking

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PROMPTS_END = 8
"""The number of tokens at the end of a prompt in which the template may open the thinking."""


class ThinkingTokens:
    """Decodes text with a tokenizer and keeps the thinking tags."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._tokenizer = tokenizer
        special = {i: token.content for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        # <|end|> alone ends turns in formats without channels
        known = {*MARKS, *(CHANNEL_MARKS if "<|channel|>" in special.values() else ())}
        self._marks = {i: content for i, content in special.items() if content in known}
        self._hidden = (special.keys() | set(tokenizer.all_special_ids)) - self._marks.keys()

    def text(self, ids: Sequence[int]) -> str:
        """The output of a model, without special tokens but with thinking tags."""
        shown = [i for i in ids if i not in self._hidden] if self._marks else list(ids)
        without = not self._marks
        return str(self._tokenizer.decode(shown, skip_special_tokens=without, clean_up_tokenization_spaces=False))

    def split(self, prompt: Sequence[int], text: str) -> tuple[str, str | None]:
        """The answer and the thinking of a text; some templates open the thinking themselves."""
        opened = opened_thinking(str(self._tokenizer.decode(list(prompt[-_PROMPTS_END:]))))
        answer, thinking = split_thinking(opened + text)
        for mark in self._marks.values():  # tags that stood where they have no meaning
            answer = answer.replace(mark, "")
        return answer, thinking
