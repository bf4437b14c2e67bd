"""Formats described differences as a list in a question to an LLM, with X and Y in place of the two models."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diffing.methods.llm.difference import Difference
from diffing.methods.statements import Statement, field, statement_fields
from diffing.types import Pair, Side, other_side

LONGEST_PROMPT = 80
"""How many characters of a prompt are shown."""
LONGEST_QUOTE = 80
"""How many characters of a quote are shown."""


@dataclass(frozen=True, slots=True)
class DifferenceListing:
    """The differences of a run, as later questions show them. Each has a number, which counts from 1."""

    differences: Sequence[Difference]
    """All differences."""
    beginnings: Mapping[str, str]
    """The beginning of each prompt, by prompt id."""
    x: Side
    """The side that is called X."""

    @classmethod
    def of(cls, pairs: Sequence[Pair], differences: Sequence[Difference], seed: int) -> "DifferenceListing":
        """Lists the differences of pairs; which side is X is drawn by hash of the seed."""
        x: Side = "a" if hashlib.sha256(f"X\0{seed}".encode()).digest()[0] % 2 == 0 else "b"
        return cls(differences, {pair.prompt.id: field(pair.prompt.text, LONGEST_PROMPT) for pair in pairs}, x)

    def letter(self, side: Side) -> str:
        """What a side is called."""
        return "X" if side == self.x else "Y"

    def side(self, letter: str) -> Side:
        """The side that is called X or Y."""
        return self.x if letter == "X" else other_side(self.x)

    def numbered(self, index: int, *, quoted: bool = False) -> str:
        """The line of one difference, with its number and model."""
        difference = self.differences[index]
        return f"{index + 1} | {self.letter(difference.owner)} | {self.described(index, quoted=quoted)}"

    def described(self, index: int, *, quoted: bool) -> str:
        """What a line says of one difference, without its model."""
        difference = self.differences[index]
        said = statement_fields(Statement(difference.behaviour, difference.condition))
        line = f"{said} | {self.prompt(difference.prompt_id)}"
        quote = difference.quote(difference.owner) if quoted else None
        return f"{line} | quote: {field(quote, LONGEST_QUOTE)}" if quote else line

    def prompt(self, prompt_id: str) -> str:
        """The field that says how a prompt begins."""
        return f"prompt: {self.beginnings[prompt_id]}"
