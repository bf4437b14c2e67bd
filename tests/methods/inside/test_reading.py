"""Both models read the same places, as transformers itself would, and nothing that follows matters."""

import logging
from pathlib import Path

import pytest
import torch

from diffing.errors import SettingError
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.pair_reading import AlignedRows, InsidePair
from diffing.methods.inside.side_models import open_side
from diffing.types import Message, Side
from tests.methods.inside import tiny_pair
from tests.methods.inside.tiny_pair import exchanges, open_pair

ASKED = (Message("user", "say 👍"),)
TEXT = "the cat 👍 sat 世界"


def one(pair: InsidePair, exchange: Exchange) -> AlignedRows:
    """The rows of one exchange."""
    (rows,) = pair.read([exchange])
    assert isinstance(rows, AlignedRows)
    return rows


def test_rows_are_the_residual_stream_that_leaves_the_block(folders: tuple[Path, Path], pair: InsidePair) -> None:
    from transformers import AutoModelForCausalLM

    rows = one(pair, Exchange(ASKED, TEXT))
    assert pair.layers == (2, 2)
    assert rows.spans[0] == (0, 0)
    assert "".join(TEXT[first:last] for first, last in rows.spans) == TEXT
    for place, folder in enumerate(folders):
        text = pair.sides[place].tokenize(Exchange(ASKED, TEXT))
        assert not isinstance(text, UnreadableResponse)
        whole = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        with torch.inference_mode():
            states = whole(torch.tensor([text.ids.tolist()]), output_hidden_states=True).hidden_states[2][0]
        expected = states[[text.start - 1 + position for position in rows.positions[place]]]
        torch.testing.assert_close((rows.a, rows.b)[place], expected)


def test_a_row_does_not_depend_on_what_follows(pair: InsidePair) -> None:
    short, long = one(pair, Exchange(ASKED, "the cat sat")), one(pair, Exchange(ASKED, "the cat sat on the mat"))
    number = len(short.spans)
    assert long.spans[:number] == short.spans
    torch.testing.assert_close(long.a[:number], short.a)
    torch.testing.assert_close(long.b[:number], short.b)


def test_order_and_batches_do_not_matter(pair: InsidePair) -> None:
    several = exchanges(12)
    together = list(pair.read(several))
    for exchange, rows in zip(several, together, strict=True):
        alone = one(pair, exchange)
        assert isinstance(rows, AlignedRows)
        assert rows.spans == alone.spans
        torch.testing.assert_close(rows.a, alone.a)
        torch.testing.assert_close(rows.b, alone.b)


def test_an_empty_response_has_its_anchor(pair: InsidePair) -> None:
    rows = one(pair, Exchange(ASKED, ""))
    assert rows.spans == ((0, 0),)
    assert rows.positions == ((0,), (0,))


def test_what_one_model_cannot_read_is_unreadable(pair: InsidePair) -> None:
    read = list(pair.read([Exchange(ASKED, "x" * 300), Exchange(ASKED, "the cat")]))
    assert read[0] == UnreadableResponse("longer than the reader's context of 256 tokens")
    assert isinstance(read[1], AlignedRows)


def test_halves_of_surrogate_pairs_are_read_as_question_marks(pair: InsidePair) -> None:
    torch.testing.assert_close(one(pair, Exchange(ASKED, "a\ud800")).a, one(pair, Exchange(ASKED, "a?")).a)


def test_a_document_is_read_without_a_chat_format_and_without_an_anchor(pair: InsidePair) -> None:
    rows = one(pair, Exchange((), "the cat sat"))
    assert rows.spans == ((0, 3), (3, 7), (7, 11))
    assert rows.positions == ((3, 7, 11), (1, 2, 3))


def test_the_share_of_tokens_with_a_partner_is_told(folders: tuple[Path, Path]) -> None:
    with open_pair(folders) as pair:
        assert pair.alignment is None
        pair.calibrate([Exchange(ASKED, "the cat sat")])
        assert pair.alignment is None
        one(pair, Exchange(ASKED, "the cat sat"))
        assert pair.alignment == (3 / 11, 1.0)


def test_attention_sinks_are_left_out_and_counted(folders: tuple[Path, Path], pair: InsidePair) -> None:
    before = one(pair, Exchange(ASKED, TEXT + "!"))
    norms = before.b.norm(dim=-1)
    loudest = int(norms.argmax())
    limit = float(norms.sort().values[-2:].mean())
    with open_pair(folders) as limited:
        limited._limits = (float("inf"), limit)
        after = one(limited, Exchange(ASKED, TEXT + "!"))
        assert one(limited, Exchange(ASKED, TEXT + "!")).spans == after.spans
        assert limited.left_out == {"positions that are attention sinks": 1}
    kept = [row for row in range(len(norms)) if row != loudest]
    assert after.spans == tuple(before.spans[row] for row in kept)
    torch.testing.assert_close(after.a, before.a[kept])


def test_a_pair_that_is_not_calibrated_reads_nothing(folders: tuple[Path, Path]) -> None:
    with open_pair(folders) as pair, pytest.raises(ValueError, match="call `calibrate`"):
        list(pair.read([Exchange(ASKED, "x")]))


def test_responses_that_no_model_reads_are_refused_in_one_line(folders: tuple[Path, Path]) -> None:
    with open_pair(folders) as pair:
        with pytest.raises(SettingError, match=r"\(the first is longer than the reader's context of 256 tokens\)"):
            pair.calibrate([Exchange(ASKED, "x" * 300)])
        with pytest.raises(SettingError, match="no train responses"):
            pair.calibrate([])


def test_a_system_prompt_is_part_of_the_context_of_its_side_alone(folders: tuple[Path, Path], pair: InsidePair) -> None:
    with open_pair(folders, system_prompt="Be brief.") as prompted:
        prompted.calibrate(exchanges(4))
        assert prompted.identity != pair.identity
        plain, rows = one(pair, Exchange(ASKED, TEXT)), one(prompted, Exchange(ASKED, TEXT))
        told = one(pair, Exchange((Message("system", "Be brief."), *ASKED), TEXT))
    torch.testing.assert_close(rows.a, told.a)
    torch.testing.assert_close(rows.b, plain.b)
    assert not torch.allclose(rows.a, plain.a)


def test_models_that_do_not_fit_at_once_read_one_after_the_other(
    folders: tuple[Path, Path], pair: InsidePair, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    several = exchanges(16)
    a, b = open_pair(folders).sides
    with InsidePair(a, b, reserve_bytes=1 << 60, window_tokens=150, shard_rows=40) as apart:
        apart.calibrate(exchanges(8))
        for rows, expected in zip(apart.read(several), pair.read(several), strict=True):
            assert isinstance(rows, AlignedRows)
            assert isinstance(expected, AlignedRows)
            assert rows.spans == expected.spans
            torch.testing.assert_close(rows.a, expected.a)
            torch.testing.assert_close(rows.b, expected.b)
            assert not (a.in_memory and b.in_memory)
        a.close()
        b.close()
        again = one(apart, several[3])  # to show where a feature is active, no model is loaded anew
        assert not a.in_memory
        assert not b.in_memory
        torch.testing.assert_close(again.b, one(pair, several[3]).b)


def test_same_space_needs_architecture_shapes_and_tokenizer(folders: tuple[Path, Path], pair: InsidePair) -> None:
    assert not pair.same_space
    twice = InsidePair(*(open_side(str(folders[0]), side, options=tiny_pair.CPU) for side in ("a", "b")))  # type: ignore[arg-type]
    assert twice.same_space
    twice.calibrate(exchanges(4))
    rows = one(twice, Exchange(ASKED, TEXT))
    assert torch.equal(rows.a, rows.b)
    # one tokenizer: tokens inside characters are partners, too
    assert rows.positions[0] == rows.positions[1] == tuple(range(1 + len(TEXT.encode())))
    twice.close()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_reads_the_same_places_and_nearly_the_same_numbers(folders: tuple[Path, Path], pair: InsidePair) -> None:
    sides: list[Side] = ["a", "b"]
    opened = [open_side(str(folder), side) for folder, side in zip(folders, sides, strict=True)]
    with InsidePair(*opened) as on_gpu:
        on_gpu.calibrate(exchanges(20))
        rows, expected = one(on_gpu, Exchange(ASKED, TEXT)), one(pair, Exchange(ASKED, TEXT))
        assert opened[0].model.loaded().model.dtype == torch.bfloat16
    assert rows.spans == expected.spans
    for own, on_cpu in ((rows.a, expected.a), (rows.b, expected.b)):
        assert own.dtype == torch.float32
        assert own.device.type == "cpu"
        assert torch.nn.functional.cosine_similarity(own, on_cpu).min() > 0.98
