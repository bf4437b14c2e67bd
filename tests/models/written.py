"""The same responses written down in every shape that people have them in, as the tools of that shape write them."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""`id`, `prompt`, `response`, `model`, `domain`, `finish`."""


@dataclass(frozen=True)
class Written:
    """How one shape is written, and what of a row it keeps beside prompt and response."""

    read_as: str
    write: Callable[[Path, list[Row]], str]
    """Into an empty folder; gives what follows `recorded:`."""
    keeps: tuple[str, ...] = ()


def lines(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def document(path: Path, value: object, **options: Any) -> str:
    path.write_text(json.dumps(value, ensure_ascii=False, **options), encoding="utf-8")
    return str(path)


def columns(rows: list[Row]) -> dict[str, list[object]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def table(path: Path, rows: list[Row], delimiter: str = ",", encoding: str = "utf-8") -> str:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def parquet(path: Path, rows: list[Row]) -> str:
    import pyarrow
    from pyarrow import parquet as written

    written.write_table(pyarrow.Table.from_pylist(rows), path)
    return str(path)


def only(rows: list[Row], *keys: str, **renamed: str) -> list[Row]:
    """Some columns, and some under another name: `output="response"`."""
    return [{key: row[key] for key in keys} | {new: row[old] for new, old in renamed.items()} for row in rows]


def chat(row: Row) -> list[Row]:
    return [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["response"]}]


def parts(row: Row) -> list[Row]:
    return [{"role": turn["role"], "content": [{"type": "text", "text": turn["content"]}]} for turn in chat(row)]


def _packed(folder: Path, rows: list[Row]) -> str:
    path = folder / "r.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return str(path)


def _lm_eval(arguments: Callable[[str], object]) -> Callable[[Path, list[Row]], str]:
    def write(folder: Path, rows: list[Row]) -> str:
        samples = [
            {
                "doc_id": number,
                "doc": {"question": row["prompt"], "answer": "42"},
                "target": "42",
                "arguments": arguments(row["prompt"]),
                "resps": [[row["response"]]],
                "filtered_resps": ["42" if filter_ == "strict-match" else row["response"]],
                "filter": filter_,
                "exact_match": 0.0,
            }
            for filter_ in ("strict-match", "none")
            for number, row in enumerate(rows)
        ]
        return lines(folder / "samples_gsm8k_2026-01-01T00-00-00.000000.jsonl", samples)

    return write


def _sent(prompt: str) -> str:
    return json.dumps([{"role": "user", "content": prompt, "type": "text"}], ensure_ascii=False)


def _fastchat(folder: Path, rows: list[Row]) -> str:
    questions = [
        {"question_id": row["id"], "category": row["domain"], "turns": [row["prompt"], "And then?"]} for row in rows
    ]
    lines(folder / "question.jsonl", questions)
    (folder / "model_answer").mkdir()
    answers = [
        {
            "question_id": row["id"],
            "answer_id": f"a{number}",
            "model_id": row["model"],
            "choices": [{"index": 0, "turns": [row["response"], "Then this."]}],
            "tstamp": 1.5,
        }
        for number, row in enumerate(rows)
    ]
    return lines(folder / "model_answer" / "r.jsonl", answers)


def _vicuna(folder: Path, rows: list[Row]) -> str:
    questions = [{"question_id": row["id"], "text": row["prompt"], "category": row["domain"]} for row in rows]
    answers = [
        {"question_id": row["id"], "text": row["response"], "answer_id": "x", "model_id": row["model"], "metadata": {}}
        for row in rows
    ]
    return f"{lines(folder / 'answer.jsonl', answers)}+{lines(folder / 'asked.jsonl', questions)}"


def _batch(folder: Path, rows: list[Row]) -> str:
    requests, results = [], []
    for number, row in enumerate(rows):
        messages = [{"role": "user", "content": row["prompt"]}]
        body = {"model": row["model"], "messages": messages, "max_tokens": 99}
        requests.append({"custom_id": row["id"], "method": "POST", "url": "/v1/chat/completions", "body": body})
        message = {"role": "assistant", "content": row["response"], "refusal": None}
        choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": row["finish"]}]
        answered = {"id": f"c{number}", "object": "chat.completion", "model": row["model"], "choices": choices}
        response = {"status_code": 200, "request_id": f"r{number}", "body": answered}
        results.append({"id": f"b{number}", "custom_id": row["id"], "response": response, "error": None})
    lines(folder / "batch_1_input.jsonl", requests)
    return lines(folder / "batch_1_output.jsonl", results)


def _responses_api(folder: Path, rows: list[Row]) -> str:
    requests, results = [], []
    for number, row in enumerate(rows):
        body = {"model": row["model"], "input": row["prompt"]}
        requests.append({"custom_id": row["id"], "method": "POST", "url": "/v1/responses", "body": body})
        content = [{"type": "output_text", "text": row["response"], "annotations": []}]
        output = [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": content}]
        cut = {"reason": "max_output_tokens"} if row["finish"] == "length" else None
        answered = {"object": "response", "model": row["model"], "output": output, "incomplete_details": cut}
        response = {"status_code": 200, "body": answered}
        results.append({"id": f"b{number}", "custom_id": row["id"], "response": response, "error": None})
    return f"{lines(folder / 'out.jsonl', results)}+{lines(folder / 'in.jsonl', requests)}"


def _helm(folder: Path, rows: list[Row]) -> str:
    states = [
        {
            "instance": {"input": {"text": row["prompt"]}, "references": [], "split": "test", "id": row["id"]},
            "train_trial_index": 0,
            "request": {"model": row["model"], "prompt": row["prompt"], "temperature": 0.0, "max_tokens": 99},
            "result": {
                "success": True,
                "embedding": [],
                "completions": [
                    {"text": row["response"], "logprob": 0, "tokens": [], "finish_reason": {"reason": row["finish"]}}
                ],
                "cached": False,
            },
            "num_train_instances": 0,
            "prompt_truncated": False,
        }
        for row in rows
    ]
    spec = {"method": "generation", "model": rows[0]["model"], "model_deployment": "served/here"}
    return document(folder / "scenario_state.json", {"adapter_spec": spec, "request_states": states}, indent=2)


def inspect_log(rows: list[Row]) -> Row:
    """A log as inspect_ai 0.3.285 writes it, with the fields that the reader has no use for left out."""
    samples = []
    for row in rows:
        said = {
            "id": "m2",
            "content": row["response"],
            "source": "generate",
            "role": "assistant",
            "model": row["model"],
        }
        choice = {"message": said, "stop_reason": "max_tokens" if row["finish"] == "length" else "stop"}
        samples.append(
            {
                "id": row["id"],
                "epoch": 1,
                "input": row["prompt"],
                "target": "42",
                "messages": [{"id": "m1", "content": row["prompt"], "source": "input", "role": "user"}, said],
                "output": {"model": row["model"], "choices": [choice], "completion": row["response"]},
                "events": [],
            }
        )
    return {"version": 2, "status": "success", "eval": {"task": "mine", "model": rows[0]["model"]}, "samples": samples}


def eval_archive(log: Row, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A log as an archive; 93 is Zstandard, which today's version takes and Python's zipfile does not know."""
    members = {f"samples/{each['id']}_epoch_{each['epoch']}.json": each for each in log["samples"]}
    header = {key: value for key, value in log.items() if key != "samples"}
    members |= {"_journal/start.json": header, "summaries.json": [], "header.json": header}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED if compression == 93 else compression) as archive:
        for name, value in members.items():
            data = json.dumps(value, ensure_ascii=False).encode()
            if compression != 93:
                archive.writestr(name, data)
                continue
            import zstandard

            half = len(data) // 2  # in two frames, as large members are
            frames = [zstandard.ZstdCompressor().compress(part) for part in (data[:half], data[half:])]
            archive.writestr(name, b"".join(frames))
    content = bytearray(packed.getvalue())
    if compression == 93:  # the method's number stands in each member's header and in the directory
        for signature, at in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
            start = content.find(signature)
            while start >= 0:
                content[start + at : start + at + 2] = (93).to_bytes(2, "little")
                start = content.find(signature, start + 4)
    return bytes(content)


def _eval(compression: int) -> Callable[[Path, list[Row]], str]:
    def write(folder: Path, rows: list[Row]) -> str:
        path = folder / "2026-01-01_mine.eval"
        path.write_bytes(eval_archive(inspect_log(rows), compression))
        return str(path)

    return write


ALL = ("id", "model", "domain", "finish")
COLUMNS = "rows with a prompt and a response"
CHATS = "conversations that end with the response"

SHAPES = {
    "json list": Written(COLUMNS, lambda f, rows: document(f / "r.json", rows, indent=1), ALL),
    "jsonl named json": Written(COLUMNS, lambda f, rows: lines(f / "r.json", rows), ALL),
    "list named jsonl": Written(COLUMNS, lambda f, rows: document(f / "r.jsonl", rows), ALL),
    "jsonl.gz": Written(COLUMNS, _packed, ALL),
    "tsv": Written(COLUMNS, lambda f, rows: table(f / "r.tsv", rows, "\t"), ALL),
    "csv with semicolons": Written(COLUMNS, lambda f, rows: table(f / "r.csv", rows, ";"), ALL),
    "csv with vertical bars": Written(COLUMNS, lambda f, rows: table(f / "r.csv", rows, "|"), ALL),
    "json of columns": Written(COLUMNS, lambda f, rows: document(f / "r.json", columns(rows)), ALL),
    "json of columns as pandas writes it": Written(
        COLUMNS,
        lambda f, rows: document(f / "r.json", {k: dict(enumerate(v)) for k, v in columns(rows).items()}, indent=1),
        ALL,
    ),
    "csv in UTF-16": Written(COLUMNS, lambda f, rows: table(f / "r.csv", rows, encoding="utf-16"), ALL),
    "parquet": Written(COLUMNS, lambda f, rows: parquet(f / "r.parquet", rows), ALL),
    "alpaca_eval": Written(
        "alpaca_eval outputs",
        lambda f, rows: document(
            f / "model_outputs.json", only(rows, instruction="prompt", output="response", generator="model")
        ),
        ("model",),
    ),
    "instruction, output": Written(
        COLUMNS,
        lambda f, rows: lines(f / "r.jsonl", only(rows, "id", instruction="prompt", output="response")),
        ("id",),
    ),
    "prompt, completion": Written(
        COLUMNS,
        lambda f, rows: lines(
            f / "r.jsonl", only(rows, "prompt", completion="response", model_id="model", finish_reason="finish")
        ),
        ("model", "finish"),
    ),
    "question, answer": Written(
        COLUMNS, lambda f, rows: table(f / "r.csv", only(rows, Question="prompt", Answer="response"))
    ),
    "messages": Written(
        CHATS, lambda f, rows: lines(f / "r.jsonl", [{"id": row["id"], "messages": chat(row)} for row in rows]), ("id",)
    ),
    "messages in parquet": Written(
        CHATS, lambda f, rows: parquet(f / "r.parquet", [{"messages": chat(row)} for row in rows])
    ),
    "messages in parts": Written(
        CHATS, lambda f, rows: parquet(f / "r.parquet", [{"messages": parts(row)} for row in rows])
    ),
    "messages in csv": Written(
        CHATS, lambda f, rows: table(f / "r.csv", [{"messages": json.dumps(chat(row))} for row in rows])
    ),
    "messages as pandas writes them": Written(
        CHATS, lambda f, rows: table(f / "r.csv", [{"messages": str(chat(row))} for row in rows])
    ),
    "ShareGPT": Written(
        "ShareGPT conversations",
        lambda f, rows: document(
            f / "r.json",
            [
                {
                    "id": row["id"],
                    "conversations": [
                        {"from": "human", "value": row["prompt"]},
                        {"from": "gpt", "value": row["response"]},
                    ],
                }
                for row in rows
            ],
        ),
        ("id",),
    ),
    "TRL lists": Written(
        COLUMNS,
        lambda f, rows: lines(f / "r.jsonl", [{"prompt": chat(r)[:1], "completion": chat(r)[1:]} for r in rows]),
    ),
    "lm-evaluation-harness": Written(
        "lm-evaluation-harness samples", _lm_eval(lambda prompt: {"gen_args_0": {"arg_0": prompt, "arg_1": {}}})
    ),
    "lm-evaluation-harness before": Written(
        "lm-evaluation-harness samples", _lm_eval(lambda prompt: [[prompt, {"until": ["\n"]}]])
    ),
    "lm-evaluation-harness of a server": Written(
        "lm-evaluation-harness samples",
        _lm_eval(lambda prompt: {"gen_args_0": {"arg_0": [_sent(prompt)], "arg_1": {}}}),
    ),
    "FastChat": Written("FastChat answers", _fastchat, ("id", "model", "domain")),
    "Vicuna": Written("FastChat answers", _vicuna, ("id", "model", "domain")),
    "OpenAI batch": Written("OpenAI batch output", _batch, ("id", "model", "finish")),
    "OpenAI batch of responses": Written("OpenAI batch output", _responses_api, ("id", "model", "finish")),
    "HELM": Written("HELM scenario state", _helm, ("model", "finish")),
    "inspect .json": Written(
        "an inspect log",
        lambda f, rows: document(f / "log.json", inspect_log(rows), indent=2),
        ("id", "model", "finish"),
    ),
    "inspect .eval": Written("an inspect log", _eval(zipfile.ZIP_DEFLATED), ("id", "model", "finish")),
    "inspect .eval with Zstandard": Written("an inspect log", _eval(93), ("id", "model", "finish")),
}
