"""Opens the weights behind one side of a run, with the loading code, checks and errors of `diffing.models.local`."""

import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from diffing.errors import SettingError
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.residual import ResidualReader, block_at, blocks_of, cut
from diffing.methods.inside.response_tokens import ResponseTokenizer, TokenizedResponse
from diffing.model_ref import ModelRef, parse_spec
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.architecture import context_length, parse_config
from diffing.models.local.load_errors import one_line, quiet
from diffing.models.local.loaded_model import LoadedModel
from diffing.types import Side

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class ResidualShape:
    """The size of a model's residual stream."""

    blocks: int
    """The number of blocks."""
    width: int
    """The number of dimensions of the residual stream."""


def open_side(
    spec: str | ModelRef,
    side: Side,
    *,
    depth: float = 0.5,
    options: LocalOptions | None = None,
    system_prompt: str | None = None,
) -> "SideModel":
    """Finds the weights of one side and checks that they can run here, without loading them.

    Args:
        spec: `org/name[@revision]`, a folder, or `base+adapter`.
        side: The side, for messages.
        depth: The share of the blocks that are run, above 0 and at most 1.
        options: How the model is loaded.
        system_prompt: The side's system prompt, which is a part of every context that it reads.

    Raises:
        SettingError: The side has no weights, or the spec names nothing.
        HubError: Missing, private or gated repository, unknown revision, bad token, no network.
        ModelError: Not a model that transformers can run safely, or too big for this machine.
        MissingExtraError: torch or transformers are not installed.
    """
    ref = spec if isinstance(spec, ModelRef) else parse_spec(spec)
    if not ref.runs_here:
        raise SettingError(
            f"Model {side.upper()} is {ref.published!s:.100}, whose weights are not at hand: looking inside needs "
            f"the weights of both models. Name them with --inside-{side} org/name, a folder or base+adapter"
        )
    return SideModel(LocalModel.load(ref, options=options or LocalOptions()), side, depth, system_prompt)


class SideModel:
    """One side's model, whose weights are loaded when they are first needed: cut after a block, or whole."""

    def __init__(self, model: LocalModel, side: Side, depth: float, system_prompt: str | None) -> None:
        """Takes a model that nobody else uses, because its upper blocks are removed while it is read."""
        self.model = model
        """The model as it answers; ask for `whole` first, since its upper blocks may be missing."""
        self.side = side
        """The side."""
        self.system_prompt = system_prompt
        """The side's system prompt, if there is one."""
        self.layer = block_at(depth, self.shape.blocks)
        """The block whose output is read, counted from 1."""
        # weak, because another model may take this one's memory at any time
        self._cut: weakref.ref[torch.nn.Module] | None = None
        self._tokens: ResponseTokenizer | None = None
        self._vocabulary = ""

    def read_after(self, block: int) -> None:
        """Chooses the block whose output is read, before anything is read.

        Args:
            block: The block, counted from 1.

        Raises:
            SettingError: The model has no such block.
        """
        if not 1 <= block <= self.shape.blocks:
            raise SettingError(
                f"{self.name} has {self.shape.blocks} blocks, expected at least {block}: what is read after block "
                f"{block} belongs to another model"
            )
        self.layer = block

    @property
    def id(self) -> str:
        """The model's id: `org/name@commit-sha` or `folder-name@hash`, with its adapter and data type."""
        return self.model.id

    @property
    def name(self) -> str:
        """The side and its model, for messages."""
        return f"Model {self.side.upper()} ({self.id})"

    @property
    def in_memory(self) -> bool:
        """Whether the weights are loaded."""
        return self.model.in_memory

    @cached_property
    def shape(self) -> ResidualShape:
        """The number of blocks and the width, from the configuration."""
        config = self._text_config
        return ResidualShape(int(config.num_hidden_layers), int(config.hidden_size))

    @cached_property
    def _text_config(self) -> Any:  # noqa: ANN401 - every architecture has its own
        with one_line(f"{self.name}: its size cannot be read from its config.json", "use another model"), quiet():
            return parse_config(self.model.config).get_text_config(decoder=True)

    @property
    def parameters(self) -> int:
        """About how many parameters take part in predicting a token, those of blocks and head, from the configuration.

        A block has about 12 squares of the width: 4 of attention and 8 of the MLP.
        """
        head = int(getattr(self._text_config, "vocab_size", 0)) * self.shape.width
        return 12 * self.shape.width**2 * self.shape.blocks + head

    @property
    def architecture(self) -> dict[str, Any]:
        """The model type and the sizes that two models share if their activations are in the same space."""
        config = self._text_config
        names = ("hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads", "num_key_value_heads")
        return {"model_type": config.model_type, **{name: getattr(config, name, None) for name in names}}

    @property
    def tokens(self) -> ResponseTokenizer:
        """The tokenizer with its chat format, which stays when the weights are unloaded."""
        if self._tokens is None:
            self._take_tokens(self.model.loaded())
        assert self._tokens is not None
        return self._tokens

    @property
    def vocabulary(self) -> str:
        """A digest of the tokens and their ids."""
        _ = self.tokens
        return self._vocabulary

    def reader(self) -> ResidualReader:
        """The model cut after the block that is read; the blocks above are removed from memory.

        Ask for it anew for each use: whoever keeps it keeps the memory.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded, or the model has no blocks that can be found.
            SettingError: The tokenizer does not tell which characters a token covers.
        """
        loaded = self.model.loaded()
        self._take_tokens(loaded)
        blocks = blocks_of(self.name, loaded.model)
        if not self._is_cut(loaded):
            cut(loaded.model, blocks, self.layer)
            self._cut = weakref.ref(loaded.model)
        return ResidualReader(self.name, loaded.model, blocks[self.layer - 1], self.shape.width)

    def whole(self) -> LoadedModel:
        """The whole model with its head, as it answers; what was cut is loaded again.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded.
        """
        if self.in_memory and self._is_cut(self.model.loaded()):
            self.close()
        loaded = self.model.loaded()
        self._take_tokens(loaded)
        return loaded

    def whole_block(self) -> "torch.nn.Module":
        """The block whose output is read, in the whole model.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded.
        """
        return blocks_of(self.name, self.whole().model)[self.layer - 1]

    def tokenize(self, exchange: Exchange) -> TokenizedResponse | UnreadableResponse:
        """Tokenizes an exchange behind the side's system prompt, or says why the model cannot read it."""
        return self.tokens.exchange(exchange, self.system_prompt)

    def _is_cut(self, loaded: LoadedModel) -> bool:
        return self._cut is not None and self._cut() is loaded.model

    def close(self) -> None:
        """Frees the memory; the tokenizer stays."""
        self._cut = None
        self.model.close()

    def _take_tokens(self, loaded: LoadedModel) -> None:
        if self._tokens is not None:
            return
        tokens = ResponseTokenizer(loaded.chat, context_length(loaded.model.config))
        if not tokens.has_offsets:
            raise SettingError(
                f"{self.name} has a tokenizer that does not tell which characters a token covers: expected a fast "
                "tokenizer (tokenizer.json). Name a copy of the model that has one with "
                f"--inside-{self.side}"
            )
        self._tokens, self._vocabulary = tokens, loaded.chat.vocabulary
