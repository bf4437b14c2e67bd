"""Local files and the bundled set, read without pandas and datasets."""

import csv
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.prompts import load_prompts
from diffing.types import Message, Prompt


def load(path: Path, **options: object) -> tuple[Prompt, ...]:
    return load_prompts(str(path), **options)  # type: ignore[arg-type]


def jsonl(folder: Path, *rows: object, name: str = "prompts.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def texts(prompts: tuple[Prompt, ...]) -> set[str]:
    return {prompt.text for prompt in prompts}


@pytest.mark.parametrize("name", ["prompts", "prompts.jsonl", "prompts.txt"])
def test_what_is_no_regular_file_is_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(SettingError, match=rf"{name} is a pipe: expected a regular file\. Write what it holds"):
        load(tmp_path / name)
    with pytest.raises(SettingError, match=r"^/dev/null is a device: expected a regular file"):
        load(Path("/dev/null"))


def test_vertical_bars_and_columns_in_one_object(tmp_path: Path) -> None:
    bars, columns = tmp_path / "prompts.csv", tmp_path / "prompts.json"
    bars.write_text("id|prompt\n" + "".join(f'{letter}|"Ask, {letter}"\n' for letter in LETTERS))
    columns.write_text(json.dumps({"id": list(LETTERS), "prompt": [f"Ask, {letter}" for letter in LETTERS]}))
    for path in (bars, columns):
        assert {prompt.id: prompt.text for prompt in load(path)} == {letter: f"Ask, {letter}" for letter in LETTERS}


LETTERS = "abcdefghijkl"


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_jsonl_with_ids_domains_and_messages(tmp_path: Path) -> None:
    rows = [{"id": i, "prompt": f"Ask {letter}", "domain": "law"} for i, letter in enumerate(LETTERS)]
    chat = {"messages": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]}
    got = load(jsonl(tmp_path, *rows, chat, "a bare text"))
    assert texts(got) == {f"Ask {letter}" for letter in LETTERS} | {"Hi", "a bare text"}
    assert {prompt.source for prompt in got} == {"prompts.jsonl"}
    by_text = {prompt.text: prompt for prompt in got}
    assert (by_text["Ask c"].id, by_text["Ask c"].domain) == ("2", "law")
    assert by_text["Hi"].messages == (Message("system", "Be kind"), Message("user", "Hi"))


@pytest.mark.parametrize(("row", "expected"), [
    ({"question": "Q"}, "Q"),
    ({"Question": "Q", "Best Answer": "A"}, "Q"),
    ({"instruction": "Do", "input": "this", "output": "x"}, "Do\n\nthis"),
    ({"instruction": "Do", "input": "", "output": "x"}, "Do"),
    ({"instruction": "Do", "context": "that", "response": "x"}, "Do\n\nthat"),
    ({"question": "Who?", "context": "A passage."}, "A passage.\n\nWho?"),
    ({"question": "Who?", "context": None}, "Who?"),
    ({"text": "Q"}, "Q"),
    ({"turns": ["first", "second"]}, "first"),
    ({"conversation": [said("user", "one"), said("assistant", "x"), said("user", "two")]}, "one"),
    ({"conversations": [{"from": "human", "value": "one"}, {"from": "gpt", "value": "x"}]}, "one"),
    ({"messages": [said("user", "one"), said("assistant", "x"), said("user", "two")]}, "two"),
    ({"messages": [said("user", "one"), said("assistant", "x")]}, "one"),
    ({"odd": "Q", "prompt": "P"}, "P"),
])  # fmt: skip
def test_the_prompt_is_found_by_its_column(tmp_path: Path, row: dict[str, object], expected: str) -> None:
    others = [{"prompt": f"Ask {letter}"} for letter in LETTERS]
    assert expected in texts(load(jsonl(tmp_path, row, *others)))


@pytest.mark.parametrize(("row", "before"), [
    ({"system_prompt": "Be kind", "question": "Q"}, [("system", "Be kind")]),
    ({"system": "Be kind", "conversations": [{"from": "human", "value": "Q"}]}, [("system", "Be kind")]),
    ({"system": "", "prompt": "Q"}, []),
    ({"history": [["one", "x"]], "instruction": "Q"}, [("user", "one"), ("assistant", "x")]),
    ({"history": [said("user", "one"), said("assistant", "x")], "system": "Be kind", "prompt": "Q"},
     [("system", "Be kind"), ("user", "one"), ("assistant", "x")]),
    ({"history": [], "prompt": "Q"}, []),
])  # fmt: skip
def test_what_stands_in_columns_beside_the_prompt_is_sent_too(
    tmp_path: Path, row: dict[str, object], before: list[tuple[str, str]]
) -> None:
    got = load(jsonl(tmp_path, row, *({"prompt": f"Ask {letter}"} for letter in LETTERS)))
    found = next(prompt for prompt in got if prompt.text == "Q")
    assert [(each.role, each.content) for each in found.messages[:-1]] == before


def test_a_named_column_wins(tmp_path: Path) -> None:
    path = jsonl(tmp_path, *({"prompt": "no", "odd": f"Ask {letter}"} for letter in LETTERS))
    assert texts(load(path, column="odd")) == {f"Ask {letter}" for letter in LETTERS}


def test_language_and_domains_filter(tmp_path: Path) -> None:
    languages = ["English", "en", "EN-gb", "German"]
    path = jsonl(
        tmp_path, *({"prompt": f"Ask {i}", "language": languages[i % 4], "domain": "xy"[i % 2]} for i in range(80))
    )
    assert len(load(path, language="en")) == 60
    assert len(load(path, language="English", domains=["x"])) == 40
    assert len(load(path, language="de")) == 20


def test_csv_with_quotes_commas_and_lines_in_fields(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "\ufeff,id,prompt\r\n" + "".join(f'{i},i{i},"Ask, ""{i}""\nplease"\r\n' for i in range(12)), encoding="utf-8"
    )
    got = load(path)
    assert texts(got) == {f'Ask, "{i}"\nplease' for i in range(12)}
    assert {prompt.id for prompt in got} == {f"i{i}" for i in range(12)}


def test_txt_has_one_prompt_per_line(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("\n".join(f" Ask {letter} \n" for letter in LETTERS))
    assert texts(load(path)) == {f"Ask {letter}" for letter in LETTERS}


@pytest.mark.parametrize(("name", "content", "message"), [
    ("p.jsonl", '{"prompt": "x"}\n' * 16 + '{"prompt": "y"\n', "p.jsonl, line 17: not JSON (Expecting ',' delimiter)"),
    ("p.jsonl", '{"prompt": "x"}\n\n[1]\n', "p.jsonl, line 3: expected a JSON object, got a list"),
    ("p.jsonl", '{"prompt": "x"}\n{"prompt": " "}\n', "line 2: expected a prompt in 'prompt', got an empty text"),
    ("p.jsonl", '{"prompt": null}\n', "p.jsonl, line 1: expected a text or a list of messages in 'prompt', got null"),
    ("p.jsonl", '{"prompt": 3}\n', "in 'prompt', got a number"),
    ("p.jsonl", '{"question": "Q", "context": {"a": "b"}}\n', "line 1: expected a text in 'context', got an object"),
    ("p.jsonl", '{"prompt": "Q", "history": ["a"]}\n', "line 1: expected turns with role and content in 'history'"),
    ("p.jsonl", '{"prompt": "\\ud83d"}\n', "p.jsonl, line 1: expected text in 'prompt', got half of a surrogate pair"),
    ("p.jsonl", '{"messages": [{"role": "wizard", "content": "x"}]}\n', "got role 'wizard'"),
    ("p.jsonl", '{"messages": [{"role": "user", "content": null}]}\n', "got content of type null"),
    ("p.jsonl", '{"messages": [{"role": "assistant", "content": "x"}]}\n', "expected a user's turn in"),
    ("p.jsonl", '{"messages": []}\n', "got an empty list"),
    ("p.jsonl", '{"frage": "x", "antwort": "y"}\n', "line 1: expected one of the columns messages, conversation"),
    ("p.jsonl", '{"frage": "x", "antwort": "y"}\n', "got the columns 'frage', 'antwort'; name the column"),
    ("p.jsonl", "", "p.jsonl: expected prompts, got none"),
    ("p.csv", "prompt,x\na,b\nc,d,e\n", "p.csv, line 3: expected 2 values, as in the header"),
    ("p.csv", 'prompt\n"a" b\n', "p.csv, line 2: not CSV ("),
    ("p.csv", "frage\nx\n", "p.csv, line 2: expected one of the columns"),
    ("p.txt", "\n \n", "p.txt: expected prompts, got none"),
    ("p.docx", "x", "p.docx: expected a file ending in .jsonl, .ndjson, .json, .csv"),
    ("p.json", "[]", "p.json: expected prompts, got none"),
])  # fmt: skip
def test_each_mistake_in_a_file_is_one_line_that_names_it(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingError, match=re.escape(message)) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_utf8_are_found_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes(b"one\ntwo\nthr\xe9e\n")
    with pytest.raises(SettingError, match=r"p\.txt, line 3: not UTF-8"):
        load(path)


@pytest.mark.parametrize(("source", "options", "message"), [
    ("missing.jsonl", {}, "missing.jsonl: expected a file of prompts, found none"),
    ("no such thing", {}, "'no such thing': expected `bundled`, a file of prompts that ends in .jsonl, "),
    ("bundled", {"domains": ["coding", "astrology"]}, "(advice: feelings, advice: health, "),
    ("bundled", {"domains": ["astrology"]}, "got 'astrology'"),
    ("bundled@1", {"domains": ["code: data"]}, "got 'code: data'"),
    ("bundled@3", {}, "expected a version of the bundled set from bundled@1 to bundled@2, got 'bundled@3'"),
    ("bundled@", {}, "got 'bundled@'"),
    ("bundled", {"language": "de"}, "the bundled set has no columns and no languages to choose from"),
    ("bundled", {"heldout": 0}, "expected at least 1 held-out prompt, got 0"),
])  # fmt: skip
def test_wrong_settings(source: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)):
        load_prompts(source, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "options", "message"), [
    ("p.jsonl", {"language": "en"}, "expected a column `language` to filter by, got the columns 'prompt'"),
    ("p.jsonl", {"column": "text"}, "expected the column 'text', got the columns 'prompt'"),
    ("p.jsonl", {"domains": ["law"]}, "expected prompts of the domains law, got none"),
    ("p.txt", {"language": "en"}, "a text file has no languages"),
])  # fmt: skip
def test_filters_that_do_not_fit_the_file(tmp_path: Path, name: str, options: dict[str, object], message: str) -> None:
    path = jsonl(tmp_path, {"prompt": "x"}, name=name)
    with pytest.raises(SettingError, match=re.escape(message)):
        load(path, **options)


def test_files_and_the_bundled_set_need_no_heavy_library(tmp_path: Path) -> None:
    path = jsonl(tmp_path, *({"prompt": letter} for letter in LETTERS))
    code = (
        "import sys; from diffing.prompts import load_prompts; load_prompts(); "
        f"load_prompts({str(path)!r}); print({{'pandas', 'datasets', 'pyarrow', 'huggingface_hub'}} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.parametrize("name", [
    "xstest/xstest_prompts.csv", "truthfulqa/TruthfulQA.csv", "mt_bench/question.jsonl", "vicuna_bench/question.jsonl",
    "oasst/en_100_text.jsonl", "ifeval/ifeval_wo_instructions.jsonl",
])  # fmt: skip
def test_real_prompt_files_are_read_as_they_are(shared_data: Path, name: str) -> None:
    assert len(load(shared_data / "prompts" / name)) >= 80


TURNS = [said("system", "Be kind"), said("user", "Hi"), said("assistant", "Hello"), said("user", "And?")]


@pytest.mark.parametrize("as_text", [json.dumps, str], ids=["JSON", "Python"])
@pytest.mark.parametrize("column", ["messages", "prompt"])
def test_turns_that_a_cell_holds_as_text_are_turns(
    tmp_path: Path, column: str, as_text: Callable[[object], str]
) -> None:
    rows = [{column: as_text(TURNS)}, *({column: f"Ask {letter}"} for letter in LETTERS)]
    got = {prompt.text: prompt for prompt in load(jsonl(tmp_path, *rows))}
    assert got["And?"].messages == tuple(Message(turn["role"], turn["content"]) for turn in TURNS)  # type: ignore[arg-type]
    path = tmp_path / "p.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [column])
        writer.writeheader()
        writer.writerows(rows)
    assert {prompt.text: prompt.messages for prompt in load(path)} == {
        text: each.messages for text, each in got.items()
    }


@pytest.mark.parametrize(
    "turns",
    [
        '[{"role": "user", "content": "Hi"',
        "[{'role': 'user', 'content': Hi}]",
        "[{'role': 'user', 'content': {[]: 1}}]",
        "[{'role': {{}}}]",
        '{"a": 1}',
    ],
)
def test_turns_as_text_that_cannot_be_read_are_not_sent_as_words(tmp_path: Path, turns: str) -> None:
    with pytest.raises(SettingError, match=r"p\.jsonl, line 1: expected a list of messages in 'messages', got a text"):
        load(jsonl(tmp_path, {"messages": turns}, name="p.jsonl"))


@pytest.mark.parametrize("prompt", ["[1, 2, 3]", '["a", "b"]', '[{"a": 1}]', "[INST] hello [/INST]", "{'x': 1}"])
def test_lists_that_are_no_turns_are_words(tmp_path: Path, prompt: str) -> None:
    assert prompt in texts(load(jsonl(tmp_path, {"prompt": prompt}, *({"prompt": letter} for letter in LETTERS))))


def test_content_in_parts_and_turns_of_tools(tmp_path: Path) -> None:
    turns = [said("developer", "Be kind"), {"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    got = load(jsonl(tmp_path, {"messages": turns}, *({"prompt": letter} for letter in LETTERS)))
    assert (Message("system", "Be kind"), Message("user", "Hi")) in {prompt.messages for prompt in got}
    picture = {"role": "user", "content": [{"type": "image", "image": "x"}]}
    with pytest.raises(SettingError, match=r"line 1: expected .* text in 'messages', got a part of type 'image'"):
        load(jsonl(tmp_path, {"messages": [picture]}))


def test_prompts_that_differ_by_case_or_indentation_are_two_in_one_split(tmp_path: Path) -> None:
    code = ["if x:\n    y()\nz()", "if x:\n    y()\n    z()", "IF X:\n    y()\nz()"]
    path = jsonl(tmp_path, *({"prompt": text} for text in [*code, *LETTERS, "a"]))
    got = {prompt.text: prompt for prompt in load(path)}
    assert set(got) == {*code, *LETTERS}
    assert len({prompt.id for prompt in got.values()}) == len(got)
    assert len({got[text].split for text in code}) == 1


@pytest.mark.parametrize(("name", "content", "message"), [
    ("p.csv", b"prompt,prompt\na,b\n", "p.csv, line 1: two columns have the same name, 'prompt'"),
    ("p.csv", b"Prompt,PROMPT\na,b\n", "p.csv, line 2: the columns 'Prompt' and 'PROMPT' differ only in case"),
    ("p.jsonl", b'{"prompt": "a", "prompt": "b"}\n', "p.jsonl, line 1: not JSON (two fields have the same name, 'pro"),
    ("p.csv", b"prompt,x\na\n", "p.csv, line 2: expected 2 values, as in the header"),
    ("p.csv", "prompt\ncaf\xe9\n".encode("latin-1"), "p.csv, line 2: not UTF-8. Save the file as UTF-8"),
    ("p.jsonl", b"[" * 100_000, "p.jsonl, line 1: not JSON"),
    ("p.jsonl.gz", b"x", "p.jsonl.gz cannot be unpacked as gzip"),
    ("p.parquet", b"x", "p.parquet is not a parquet file that can be read"),
])  # fmt: skip
def test_files_of_which_it_cannot_be_told_what_is_meant(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingError, match=re.escape(message)) as caught:
        load(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "content"), [
    ("p.jsonl", "".join(f'{{"prompt": "{letter}"}}\n' for letter in LETTERS).encode("utf-16")),
    ("p.csv", ("prompt;id\n" + "".join(f'"{letter}";{letter}\n' for letter in LETTERS)).encode()),
    ("p.tsv", ("id\tprompt\r\n" + "".join(f"{letter}\t{letter}\r\n" for letter in LETTERS)).encode()),
    ("p.json", json.dumps([{"prompt": letter} for letter in LETTERS], indent=1).encode()),
    ("p.json", json.dumps(list(LETTERS)).encode()),
    ("p.jsonl.gz", gzip.compress("".join(f'{{"prompt": "{letter}"}}\n' for letter in LETTERS).encode(), mtime=0)),
    ("p.txt.gz", gzip.compress("\n".join(LETTERS).encode("utf-8-sig"), mtime=0)),
])  # fmt: skip
def test_every_format_that_people_have(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert texts(load(tmp_path / name)) == set(LETTERS)
