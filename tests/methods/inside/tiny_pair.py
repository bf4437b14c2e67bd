"""Two tiny models of different architectures with different tokenizers, and conversations that both read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffing.methods.exchanges import Exchange
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.side_models import open_side
from diffing.models.local import LocalOptions
from diffing.types import Message
from tests.methods.sae import tiny

LAYERS = 4
CPU = LocalOptions(device="cpu", dtype="float32")
WORDS = "the cat sat on the mat and the dog sat on the cat , then they all went home to sleep . 你好 你好 世界 café 👍"


def merging_tokenizer() -> Any:
    """A byte-level BPE tokenizer whose tokens cover several characters, or end inside one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    specials = ["<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=tiny.WORDS, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator([WORDS] * 20, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<|bos|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        additional_special_tokens=specials[3:],
        chat_template=tiny.CHAT,
    )


def save_pair(folder: Path) -> tuple[Path, Path]:
    """Writes a Llama with one token per byte, and a GPT-2 whose tokens cover up to a word."""
    tiny.save_reader(folder / "a", "llama", layers=LAYERS)
    tiny.save_reader(folder / "b", "gpt2", layers=LAYERS)
    merging_tokenizer().save_pretrained(folder / "b")
    return folder / "a", folder / "b"


def open_pair(folders: tuple[Path, Path], **of_a: Any) -> InsidePair:
    """Opens both, on the CPU in float32, cut after block 2 of 4."""
    a, b = folders
    return InsidePair(open_side(str(a), "a", options=CPU, **of_a), open_side(str(b), "b", options=CPU))


def exchanges(number: int) -> list[Exchange]:
    """Exchanges of different lengths, each twice, as if both models had answered."""
    return list(_exchanges(number))


def _exchanges(number: int) -> Iterator[Exchange]:
    words = WORDS.split()
    for index in range(number // 2):
        conversation = (Message("user", f"say {index}"),)
        for side in (0, 1):
            length = 3 + (7 * index + 3 * side) % 11
            yield Exchange(conversation, " ".join(words[(index + i) % len(words)] for i in range(length)))
