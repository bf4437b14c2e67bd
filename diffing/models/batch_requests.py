"""Writes conversations as the input file of a batch job, in the format of OpenAI's Batch API, which vLLM reads too.

The output file of such a job can be read as recorded responses.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from diffing.models.base import Sampling
from diffing.models.local.token_sampling import noise_key
from diffing.models.system_prompt import with_system_message
from diffing.types import Conversation, Prompt

URL = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class BatchSide:
    """One of the two models, as a batch job asks it."""

    model: str
    """The name under which the engine knows the model."""
    system_prompt: str | None
    """The system prompt; None for none."""
    sampling: Sampling
    """The sampling parameters with the sample number."""


def request_lines(prompts: Sequence[Prompt], side: BatchSide) -> Iterator[str]:
    """One line of JSON per prompt, in order.

    Each request has a seed of its own, from the same key as the noise of local models: the answers to two prompts, and
    two samples of one prompt, are drawn independently.

    Args:
        prompts: The prompts.
        side: The model, and how it is asked.
    """
    for prompt in prompts:
        messages = prompt.messages
        if side.system_prompt:
            messages = with_system_message(messages, side.system_prompt)
        body = {
            "model": side.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": side.sampling.max_new_tokens,
            "temperature": side.sampling.temperature,
            "top_p": side.sampling.top_p,
            "seed": _seed(messages, side.sampling),
        }
        yield json.dumps({"custom_id": prompt.id, "method": "POST", "url": URL, "body": body}, ensure_ascii=False)


def _seed(messages: Conversation, sampling: Sampling) -> int:
    """A number of 31 bits, which all servers take."""
    return int.from_bytes(noise_key(messages, sampling)[:4], "big") >> 1
