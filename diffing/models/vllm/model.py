"""`VllmModel`, a model that vLLM runs on this machine: a Hub id with optional revision, a folder, or `base+adapter`.

Files, identity and prompts are those of local models: vLLM gets tokens, made with the same chat template, and gives
tokens. It needs neither a server nor a Hub token. Its answers depend on its version, on the kind of GPU and, by
rounding, on which conversations run side by side; so its version is part of the model's id, and two runs of it need not
give the same bytes.
"""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace

from diffing.errors import ModelError
from diffing.hub import hub_api
from diffing.model_ref import ModelPlace, ModelRef, local_parts, parse_spec
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.decoding import DecodingRow
from diffing.models.local.decoding_rows import completion_of, row_of
from diffing.models.local.load_errors import one_line
from diffing.models.local.sources import ModelFiles, open_source
from diffing.models.local.spec import LocalOptions
from diffing.models.vllm.control_tokens import ControlTokens
from diffing.models.vllm.engine import VllmEngine, start_engine, tensor_parallel_size, vllm_version
from diffing.models.vllm.prompt_tokens import read_chat
from diffing.types import Completion, Conversation

AT_ONCE = 1024
"""Conversations that the engine gets at once; their answers are kept before it gets the next ones."""


class VllmModel:
    """A model that vLLM runs.

    Args:
        base: The files of the model.
        adapter: The files of a LoRA adapter; None if there is none.
        options: The options of loading. `auto` as data type is bfloat16.
    """

    def __init__(self, base: ModelFiles, adapter: ModelFiles | None, options: LocalOptions) -> None:
        self._base, self._adapter = base, adapter
        self._options = replace(options, dtype="bfloat16" if options.dtype == "auto" else options.dtype)
        self._gpus = tensor_parallel_size(base.config)
        self._id = self._identity()
        self._engine: VllmEngine | None = None
        self._chat: Chat | None = None

    @classmethod
    def load(cls, spec: str | ModelRef, *, options: LocalOptions | None = None) -> "VllmModel":
        """Finds a model, without loading its weights.

        Args:
            spec: `vllm:` and `org/name[@revision]`, a folder, or a base and a LoRA adapter as `base+adapter`.
            options: The options of loading.

        Raises:
            SettingError: The spec names nothing.
            HubError: Missing, private or gated repository, unknown revision, bad token, no network.
            MissingExtraError: vLLM is not installed.
        """
        ref = spec if isinstance(spec, ModelRef) else parse_spec(spec)
        options = options or LocalOptions()
        base, *adapters = local_parts(ref)
        api = hub_api()
        adapter = open_source(adapters[0], api, adapter=True) if adapters else None
        return cls(open_source(base, api, allow_pickle=options.allow_pickle), adapter, options)

    @property
    def id(self) -> str:
        """`vllm:` and the id of the weights, then `#bfloat16`, `#vllm=version` and, on several GPUs, `#gpus=number`."""
        return self._id

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
        """Answers every conversation, in order.

        Each conversation has a seed of its own, from the run's seed, the conversation and the sample number. If a
        conversation leaves no room for an answer in the model's context, its completion is `rejected`.
        `sampling.json_schema` is not enforced.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: vLLM cannot load or run the model.
        """
        if not conversations:
            return []
        engine, chat = self._loaded()
        done: dict[int, Completion] = {}
        rows: list[DecodingRow] = []
        forged = ControlTokens(chat.tokenizer)
        for index, conversation in enumerate(conversations):
            made = forged.refusal(conversation) or row_of(
                index, conversation, sampling, chat, engine.context, engine.vocabulary
            )
            if isinstance(made, DecodingRow):
                rows.append(made)
            else:
                done[index] = made
        for index, completion in done.items():
            if on_completion is not None:
                on_completion(index, completion)
        for row in self._written(engine, chat, rows, sampling):
            done[row.index] = completion_of(row, chat)
            if on_tokens is not None:
                on_tokens(len(row.written))
            if on_completion is not None:
                on_completion(row.index, done[row.index])
        return [done[index] for index in range(len(conversations))]

    def close(self) -> None:
        """Frees the memory; the next `generate` loads the weights again."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
            gc.collect()
        if self in _resident:
            _resident.remove(self)

    def _written(
        self, engine: VllmEngine, chat: Chat, rows: Sequence[DecodingRow], sampling: Sampling
    ) -> Iterator[DecodingRow]:
        """Has the engine write the answers, and yields each row as soon as its batch is done."""
        for first in range(0, len(rows), AT_ONCE):
            batch = rows[first : first + AT_ONCE]
            with one_line(f"{self._id} failed while vLLM ran it", "use fewer GPUs or another model"):
                engine.write(batch, sampling, chat)
            if any(row.finish is None for row in batch):
                raise ModelError(f"{self._id}: vLLM gave no answer to a prompt; use another version of vLLM.")
            yield from batch

    def _loaded(self) -> tuple[VllmEngine, Chat]:
        if self._engine is None or self._chat is None:
            for other in tuple(_resident):  # vLLM takes nearly all memory of the GPUs
                other.close()
            folder = self._base.fetch(code=self._options.trust_remote_code)
            adapter = None if self._adapter is None else self._adapter.fetch(code=False)
            name = None if self._adapter is None else self._adapter.name
            self._chat = read_chat(self._base.name, folder, name, adapter, self._options)
            with one_line(f"{self._base.name} cannot be loaded by vLLM", "use it without the prefix vllm:"):
                self._engine = start_engine(folder, adapter, self._options, self._gpus)
            _resident.append(self)
        return self._engine, self._chat

    def _identity(self) -> str:
        ref = self._base.identity if self._adapter is None else self._adapter.identity.on(self._base.identity)
        how = [self._options.dtype, f"vllm={vllm_version()}"]
        how += [f"gpus={self._gpus}"] if self._gpus > 1 else []
        how += [template] if (template := self._options.template_identity) else []
        return str(replace(ref, place=ModelPlace.VLLM).loaded(*how))


_resident: list[VllmModel] = []
"""The model of this process that is loaded, if any."""
