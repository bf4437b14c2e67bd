"""A feature that writes what the next token depends on drives; one whose direction does nothing does not."""

from typing import cast

import torch

from diffing.methods.adapters.causal_check import check_features
from diffing.methods.adapters.hybrid_reader import HybridReader
from diffing.methods.adapters.raised_tokens import raised_tokens
from diffing.methods.exchanges import Exchange
from diffing.methods.inside.response_tokens import ResponseTokenizer
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.stop_tokens import StopTokens
from diffing.types import Message
from tests.methods.adapters.tiny import hybrid
from tests.models.local import tiny as texts


def reader_of_bytes() -> HybridReader:
    """A hybrid of a model of bytes with itself; feature 0.0 raises `Z` wherever it is active, 0.1 writes nothing."""
    import transformers

    with torch.random.fork_rng():
        torch.manual_seed(0)
        shape = {**texts.SHAPE, "initializer_range": 0.05, "hidden_size": 16, "num_hidden_layers": 2}
        base, other = (
            transformers.AutoModelForCausalLM.from_config(transformers.LlamaConfig(**shape)).eval() for _ in "ab"
        )
    other.load_state_dict(base.state_dict())
    made = hybrid(base, other)
    tokenizer = texts.tokenizer()
    with torch.no_grad():
        branch = made.branches.blocks[0]
        for each in made.branches.blocks:
            each.w_enc.zero_()
        branch.c[:2] = 1
        branch.w_dec[:, 0] = 3 * base.get_output_embeddings().weight[tokenizer("Z").input_ids[0]]
    return HybridReader(
        made.branches, lambda _: made, ResponseTokenizer(Chat(tokenizer, StopTokens(), None, "bytes"), 256)
    )


def test_what_is_written_is_driven_and_named() -> None:
    reader = reader_of_bytes()
    exchanges = [Exchange((Message("user", f"q{n}"),), "ZZZZ") for n in range(8)]
    chats = [reader.chat(exchange) for exchange in exchanges]
    reader.calibrate(chats)  # type: ignore[arg-type]
    driving, idle = check_features(reader, [(0, exchanges), (1, exchanges)], seed=0)
    assert (driving.causal, driving.responses, driving.effect.fell) == (True, 8, 8)
    assert driving.effect.kl > max(driving.effect.kl_random) > 0
    assert (idle.causal, idle.effect.kl) == (False, 0)
    named = raised_tokens(reader.hybrid, cast("object", texts.tokenizer()), [0, 1])
    assert named[0][0] == "Z"
    assert named[1] == ()


def test_features_are_found_at_the_tokens_where_they_are_active() -> None:
    reader = reader_of_bytes()
    exchange = Exchange((Message("user", "q"),), "ab")
    reader.calibrate([reader.chat(exchange)])  # type: ignore[list-item]
    (latents,) = reader.read([exchange])
    assert latents.indices.tolist() == [0, 1]  # type: ignore[union-attr]
    spans = [(token.first, token.last, token.value) for token in reader.trace(exchange, [0])[0]]
    assert spans == [(0, 0, 1.0), (0, 1, 1.0), (1, 2, 1.0)]
    assert reader.sinks == 0
