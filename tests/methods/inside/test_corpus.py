"""Texts from a file are streamed, bounded, and free of held-out prompts."""

import gzip
import json
from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.methods.exchanges import Exchange
from diffing.methods.inside import corpus_files
from diffing.methods.inside.corpus import open_corpora, open_corpus
from diffing.prompts.split import fold
from diffing.types import Message, Prompt

TURNS = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "How are you?"},
    {"role": "assistant", "content": "Well"},
]
HI, HELLO, ASKED = Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "How are you?")


def write(file: Path, *rows: object) -> str:
    """Writes JSON Lines."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(file)


def test_every_assistant_turn_is_read_behind_the_turns_before_it(tmp_path: Path) -> None:
    found = list(open_corpus(write(tmp_path / "chats.jsonl", {"messages": TURNS})).exchanges())
    assert found == [Exchange((HI,), "Hello"), Exchange((HI, HELLO, ASKED), "Well")]


def test_a_text_is_a_document(tmp_path: Path) -> None:
    assert list(open_corpus(write(tmp_path / "web.jsonl", {"text": "A page."})).exchanges()) == [
        Exchange((), "A page.")
    ]
    (tmp_path / "web.txt").write_bytes("One.\n\n二.\n".encode())
    assert [each.response for each in open_corpus(str(tmp_path / "web.txt")).exchanges()] == ["One.", "二."]
    with gzip.open(tmp_path / "web.jsonl.gz", "wt") as file:
        file.write('{"text": "Packed."}\n')
    assert [each.response for each in open_corpus(str(tmp_path / "web.jsonl.gz")).exchanges()] == ["Packed."]


def test_parquet_is_streamed(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    texts = [f"text {number}" for number in range(200)]
    parquet.write_table(pa.table({"text": texts, "id": list(range(200))}), tmp_path / "web.parquet")
    assert [each.response for each in open_corpus(str(tmp_path / "web.parquet")).exchanges()] == texts


def test_a_folder_of_files_is_streamed_as_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    write(tmp_path / "words" / "train.jsonl", {"text": "a"}, {"text": "b"})
    corpus = open_corpus(str(tmp_path / "words"))
    assert [each.response for each in corpus.exchanges()] == ["a", "b"]
    assert not corpus.local
    before = corpus.identity
    write(tmp_path / "words" / "train.jsonl", {"text": "a"}, {"text": "bc"})
    assert open_corpus(str(tmp_path / "words")).identity != before


def test_texts_with_a_held_out_prompt_are_left_out_and_counted(tmp_path: Path) -> None:
    file = write(
        tmp_path / "mixed.jsonl", {"messages": TURNS}, {"messages": TURNS[:2]}, {"text": "how ARE  you?"}, {"text": "b"}
    )
    corpus = open_corpus(file, [fold("How are you?")])
    assert list(corpus.exchanges()) == [Exchange((HI,), "Hello"), Exchange((), "b")]
    assert corpus.skipped["texts with a held-out prompt"] == 2
    assert corpus.identity != open_corpus(file).identity


def test_every_message_of_a_held_out_prompt_is_left_out(tmp_path: Path) -> None:
    file = write(tmp_path / "texts.jsonl", {"text": "hi"}, {"text": "HELLO"}, {"text": "how are you?"}, {"text": "b"})
    (corpus,) = open_corpora([file], [Prompt("1", (HI, HELLO, ASKED), "test", "heldout")])
    assert list(corpus.exchanges()) == [Exchange((), "b")]


def test_rows_that_cannot_be_used_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_files, "_LONGEST_LINE", 100)
    lines = [b'{"text": "a"}', b"{", b"[1]", b'{"text": 3}', b'{"text": "' + b"x" * 250 + b'"}', b'{"text": "\xff"}']
    nested = b'{"messages": ' + b"[" * 80
    (tmp_path / "bad.jsonl").write_bytes(b"\n".join([*lines, nested, b'{"messages": [1]}', b'{"text": "z"}']))
    corpus = open_corpus(str(tmp_path / "bad.jsonl"))
    assert [each.response for each in corpus.exchanges()] == ["a", "z"]
    assert dict(corpus.skipped) == {
        "rows that cannot be read: not JSON": 3,
        "rows that cannot be read: no JSON object": 1,
        "rows without a text or conversation": 2,
        "rows that cannot be read: longer than 4 MB": 1,
        "texts with a held-out prompt": 0,
    }


def test_a_long_text_is_cut_before_it_is_tokenized(tmp_path: Path) -> None:
    (found,) = open_corpus(write(tmp_path / "long.jsonl", {"text": "word " * 100_000})).exchanges()
    assert len(found.response) == 16 * 1024


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("texts.csv", b"text\na\n", "texts.csv: expected a Hub dataset or a file that ends in .jsonl"),
        ("texts.parquet", b"PAR1 no", "texts.parquet is not a parquet file that can be read"),
        ("texts.jsonl.gz", b"no gzip", "texts.jsonl.gz cannot be read"),
    ],
)
def test_a_file_that_is_no_corpus_is_refused(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingError) as caught:
        open_corpus(str(tmp_path / name))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_corpus_without_its_columns_is_refused(tmp_path: Path) -> None:
    corpus = open_corpus(write(tmp_path / "other.jsonl", {"body": "x"}))
    with pytest.raises(SettingError, match="expected a column text or messages, got the columns 'body'"):
        list(corpus.exchanges())
