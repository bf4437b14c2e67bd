"""`Hybrid`: a tuned model in which every MLP can be its own, the base's, or the base's with a trained branch.

All weights of both models are frozen. With the base's MLPs, what is left of tuning is what changed elsewhere
(attention, norms, embeddings); what the branches then have to add is what tuning changed in the MLPs.
Source: arXiv 2602.20904. This module knows no texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from diffing.methods.adapters.branches import AdapterBranch, AdapterBranches
from diffing.methods.adapters.chat_batches import ChatBatch

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel

Mlp: TypeAlias = Literal["tuned", "base", "adapted"]
"""Which MLP a block uses: the tuned model's, the base's, or the base's with its branch."""


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """What one forward pass over a batch of chats gives."""

    leaving: tuple["Tensor", ...]
    """The residual stream leaving each block, chats x length x width."""
    log_probabilities: "Tensor"
    """Log-probabilities of the next token at the read positions, row after row; positions x tokens, float32."""
    features: dict[int, "Tensor"]
    """The feature activations of each block whose MLP was adapted, chats x length x features."""


@dataclass(slots=True)
class _Switch:
    """The state of one block's MLP during a forward pass."""

    tuned: Any
    base: Any
    branch: AdapterBranch
    use: Mlp = "tuned"
    features: "Tensor | None" = None

    def forward(self, u: "Tensor") -> "Tensor":
        if self.use == "tuned":
            output: Tensor = self.tuned(u)
            return output
        device = next(self.base.parameters()).device  # with several devices, perhaps another one
        kept: Tensor = self.base(u.to(device)).to(u.device)
        if self.use == "base":
            return kept
        self.features = self.branch.features(u)
        return kept + self.branch.output(self.features).to(kept.dtype)


@dataclass(slots=True)
class Hybrid:
    """Two models of one architecture with branches beside the MLPs.

    The tuned model is changed: its MLPs become switches. The base is only read.

    Args:
        tuned: The fine-tuned model.
        base: The model that it was tuned from, with the same shapes.
        branches: One branch per block; they are moved to the devices of the blocks.
    """

    tuned: "PreTrainedModel"
    base: "PreTrainedModel"
    branches: AdapterBranches
    _switches: list[_Switch] = field(init=False)

    def __post_init__(self) -> None:
        for model in (self.tuned, self.base):
            model.requires_grad_(False)
        self._switches = []
        placed = []
        both = zip(blocks_of(self.tuned), blocks_of(self.base), self.branches.blocks, strict=True)
        for block, of_base, branch in both:
            device = next(block.parameters()).device
            here = AdapterBranch(*(tensor.to(device) for tensor in branch.tensors()))
            switch = _Switch(block.mlp, of_base.mlp, here)
            block.mlp = _switched(switch)
            self._switches.append(switch)
            placed.append(here)
        self.branches = AdapterBranches(tuple(placed))

    @property
    def depth(self) -> int:
        """The number of blocks."""
        return len(self._switches)

    @property
    def device(self) -> Any:  # noqa: ANN401 - torch is not imported here
        """The device that batches must be on."""
        return self.tuned.device

    def uniform(self, mlp: Mlp) -> tuple[Mlp, ...]:
        """The same choice of MLP for all blocks."""
        return (mlp,) * self.depth

    def cut(self, block: int, below: Mlp, above: Mlp) -> tuple[Mlp, ...]:
        """One choice for the blocks below a cut and another one from this block on."""
        return (below,) * block + (above,) * (self.depth - block)

    def use(self, mlps: Sequence[Mlp]) -> None:
        """Chooses the MLP of each block for the passes that follow."""
        for switch, use in zip(self._switches, mlps, strict=True):
            switch.use, switch.features = use, None

    def run(self, batch: ChatBatch, mlps: Sequence[Mlp]) -> ForwardPass:
        """Runs the tuned model with a choice of MLPs.

        Args:
            batch: The chats, on `device`.
            mlps: Which MLP each block uses.
        """
        self.use(mlps)
        leaving, log_probabilities = forward(self.tuned, batch)
        features = {i: switch.features for i, switch in enumerate(self._switches) if switch.features is not None}
        self.use(mlps)  # what was caught is kept no longer than whoever asked for it keeps it
        return ForwardPass(leaving, log_probabilities, features)

    def mlp(self, block: int) -> "torch.nn.Module":
        """The module in the place of a block's MLP, whose output can be edited with a hook."""
        module: torch.nn.Module = blocks_of(self.tuned)[block].mlp
        return module

    def run_base(self, batch: ChatBatch) -> "Tensor":
        """The base model's log-probabilities at the read positions."""
        return forward(self.base, batch)[1]


def _switched(switch: _Switch) -> Any:  # noqa: ANN401
    """A module in the place of an MLP. It holds no weights, so that the model's own weights keep their names."""
    import torch

    class SwitchedMlp(torch.nn.Module):
        def forward(self, u: "Tensor") -> "Tensor":
            return switch.forward(u)

    return SwitchedMlp()


def decoder_of(model: "PreTrainedModel") -> Any:  # noqa: ANN401 - transformers' modules are untyped
    """The part of a model that holds the blocks and the final norm."""
    each: Any = model
    return each.get_decoder()


def blocks_of(model: "PreTrainedModel") -> Any:  # noqa: ANN401
    """The blocks of a model, each with one `mlp`."""
    return decoder_of(model).layers


def forward(model: "PreTrainedModel", batch: ChatBatch) -> tuple[tuple["Tensor", ...], "Tensor"]:
    """The residual stream leaving each block, and log-probabilities at the read positions (positions x tokens)."""
    leaving: list[Tensor] = []
    handles = [
        block.register_forward_hook(lambda _, __, out: leaving.append(out[0] if isinstance(out, tuple) else out))
        for block in blocks_of(model)
    ]
    try:
        final = decoder_of(model)(input_ids=batch.ids, use_cache=False).last_hidden_state
    finally:
        for handle in handles:
            handle.remove()
    return tuple(leaving), next_token(model, final[batch.read.to(final.device)])


def next_token(model: "PreTrainedModel", final: "Tensor") -> "Tensor":
    """Log-probabilities of the next token from states behind the final norm; ... x tokens, float32."""
    import torch

    return torch.log_softmax(logits(model, final), dim=-1)


def logits(model: "PreTrainedModel", final: "Tensor") -> "Tensor":
    """The logits of the next token from states behind the final norm; ... x tokens, float32."""
    import torch

    each: Any = model
    head = each.get_output_embeddings()
    scores: Tensor = head(final.to(head.weight.device)).float()
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    return scores if cap is None else cap * torch.tanh(scores / cap)
