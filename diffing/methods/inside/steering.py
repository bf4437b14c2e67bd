"""Generates a model's answers without a direction: it is projected out of one block's output at every token."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.methods.inside.causal import projected_out
from diffing.methods.inside.side_models import SideModel
from diffing.models.base import Sampling
from diffing.models.system_prompt import with_system_message
from diffing.types import Completion, Conversation

if TYPE_CHECKING:
    from torch import Tensor


def answer_without(
    side: SideModel, direction: "Tensor", conversations: Sequence[Conversation], sampling: Sampling
) -> list[Completion]:
    """Answers conversations anew while a direction is projected out of the residual stream.

    Args:
        side: The model; it is loaded whole.
        direction: The direction, in the residual stream that leaves the side's block; its norm does not matter.
        conversations: What is asked; the side's system prompt is added.
        sampling: The sampling parameters of the run.

    Raises:
        HubError: The weights cannot be downloaded.
        ModelError: They cannot be loaded, or the model computes numbers that are none.
    """
    prompt = side.system_prompt
    asked = [with_system_message(each, prompt) if prompt else each for each in conversations]
    with projected_out(side.whole_block(), direction):
        return side.model.generate(asked, sampling)
