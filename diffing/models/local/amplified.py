"""`AmplifiedModel`, one of two local models with its differences from the other one amplified.

Each next token is drawn by the scores `own + alpha * (own - other)` (model diff amplification), so that what the model
does more often than the other becomes more frequent, also what it does in a few answers of a hundred. Such answers only
suggest what to look for: they are not those of either model.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diffing.errors import ModelError, SettingError
from diffing.model_ref import read_ref
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.local.decoding import Choose, DecodingRow
from diffing.models.local.decoding_rows import chooser
from diffing.models.local.loaded_model import LoadedModel
from diffing.models.local.model import LocalModel
from diffing.models.local.reference_logits import ReferenceLogits
from diffing.models.system_prompt import with_system_message
from diffing.types import Completion, Conversation

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class LocalSide:
    """A compared model that runs on this machine."""

    model: LocalModel
    """The model."""
    system_prompt: str | None = None
    """Its system prompt; None without one."""

    def asked(self, conversations: Sequence[Conversation]) -> list[Conversation]:
        """The conversations as the model reads them."""
        if not self.system_prompt:
            return list(conversations)
        return [with_system_message(each, self.system_prompt) for each in conversations]

    @property
    def identity(self) -> tuple[str, str]:
        """What decides its scores: the model's id and the system prompt."""
        return self.model.id, self.system_prompt or ""


class AmplifiedModel:
    """A model whose differences from another one are amplified.

    Args:
        own: The model, with whose tokens and stops the answers are written.
        other: The model that it is moved away from, with the same vocabulary.
        alpha: How far: 0 leaves the model as it is; what people use is 0.3 to 1.

    Raises:
        SettingError: Both are the same model, so that nothing would be amplified.
    """

    def __init__(self, own: LocalSide, other: LocalSide, alpha: float) -> None:
        if own.identity == other.identity:
            raise SettingError(
                f"--amplify has no effect where both sides are the same model ({own.model.id}): there is no difference "
                "to amplify. Leave it out"
            )
        self._own = own
        self._other = other
        self._alpha = alpha

    @property
    def id(self) -> str:
        """The model's id, then `#amplified=ALPHA` and `#against=` with a digest of the other model and all prompts."""
        decides = json.dumps([*self._own.identity, *self._other.identity])
        digest = hashlib.sha256(decides.encode()).hexdigest()[:12]
        return str(read_ref(self._own.model.id).loaded(f"amplified={self._alpha:g}", f"against={digest}"))

    @property
    def remote(self) -> bool:
        """Always False, since no server is called."""
        return False

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation, in order, as `LocalModel.generate` does.

        A conversation that one of the models cannot read is `rejected`.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: The vocabularies differ, the models cannot be loaded, do not fit into memory together, or
                compute numbers that are none.
        """
        done: dict[int, Completion] = {}

        def tell(index: int, completion: Completion) -> None:
            done[index] = completion
            if on_completion is not None:
                on_completion(index, completion)

        if conversations:
            self._answer(conversations, sampling, tell, on_tokens)
        return [done[index] for index in range(len(conversations))]

    def _answer(
        self, conversations: Sequence[Conversation], sampling: Sampling, tell: OnCompletion, on_tokens: OnTokens | None
    ) -> None:
        own, other = self._both()
        asked = self._own.asked(conversations)
        rows: list[DecodingRow] = []
        prompts: dict[int, list[int]] = {}
        read = own.rows(asked, sampling), other.rows(self._other.asked(conversations), sampling)
        for mine, theirs in zip(*read, strict=True):
            if not isinstance(mine, DecodingRow):
                tell(*mine)
            elif not isinstance(theirs, DecodingRow):
                tell(*theirs)
            else:
                prompts[mine.index] = theirs.prompt
                rows.append(replace(mine, limit=min(mine.limit, theirs.limit)))
        choose = _amplified(chooser(sampling), ReferenceLogits(other, prompts), self._alpha)
        job = own.job(choose, self._own.model.options, tell, on_tokens)
        # the keys and values of both models share the memory
        own.finish(rows, asked, replace(job, max_tokens=job.max_tokens // 2))

    def _both(self) -> tuple[LoadedModel, LoadedModel]:
        """Both models, in memory at once.

        Raises:
            ModelError: They do not fit, or their vocabularies differ.
        """
        own, other = self._own.model.loaded(), self._other.model.loaded()
        if not self._own.model.in_memory:
            raise ModelError(
                f"--amplify needs both models in memory at once, and {self._own.model.id} and {self._other.model.id} "
                "do not fit: quantise them (4bit), use a larger machine, or leave --amplify out."
            )
        if own.chat.vocabulary != other.chat.vocabulary:
            raise ModelError(
                f"--amplify compares the scores of next tokens, but the vocabularies of {self._own.model.id} and "
                f"{self._other.model.id} differ: leave --amplify out."
            )
        return own, other


def _amplified(choose: Choose, reference: ReferenceLogits, alpha: float) -> Choose:
    def choose_amplified(logits: "torch.Tensor", rows: Sequence[DecodingRow]) -> list[int]:
        return choose(amplified_scores(logits, reference.of(rows), alpha), rows)

    return choose_amplified


def amplified_scores(own: "torch.Tensor", other: "torch.Tensor", alpha: float) -> "torch.Tensor":
    """The scores `own + alpha * (own - other)` of the tokens that both models know; minus infinity for others.

    A token that one of the models excludes (minus infinity) keeps its own score.

    Args:
        own: The model's logits, shape (rows, vocabulary); embeddings may be padded with further columns.
        other: Those of the model that it is moved away from.
        alpha: How far.
    """
    import torch

    width = min(own.shape[1], other.shape[1])
    scores = torch.full_like(own, float("-inf"), dtype=torch.float32)
    mine, theirs = own[:, :width].float(), other[:, :width].float().to(own.device)
    both = mine.isfinite() & theirs.isfinite()
    scores[:, :width] = torch.where(both, mine + alpha * (mine - theirs), mine)
    return scores
