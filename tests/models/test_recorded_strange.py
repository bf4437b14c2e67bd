"""What strangers' files of responses hold beside the plain case: read as meant, or one line that says why not."""

import gzip
import io
import json
import os
import sys
import zipfile

import pytest

from diffing.errors import MissingExtraError, SettingError
from diffing.models.base import Sampling
from diffing.models.recorded import RecordedModel, common_prompts
from diffing.models.recorded.shapes import named_columns
from diffing.types import Completion, Message
from tests.models.questions import user
from tests.models.written import SHAPES, document, eval_archive, inspect_log, lines, parquet, table


def opened(tmp_path, *rows, name="r.jsonl", **options):
    return RecordedModel.open(lines(tmp_path / name, list(rows)), **options)


def answers(model, sample=0):
    """Every prompt with its completion."""
    prompts = [messages for _, messages, _ in model.prompts()]
    return dict(zip(prompts, model.generate(prompts, Sampling(sample=sample)), strict=True))


def refused(open_, says, **options):
    with pytest.raises(SettingError, match=says) as caught:
        open_(**options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700
    return str(caught.value)


# conversations


CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}


def test_developers_tools_and_parts_are_turns(tmp_path):
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather"}, {"type": "input_text", "text": "in Rome?"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "21 degrees", "tool_call_id": "c1"},
        {"role": "assistant", "content": [{"type": "text", "text": "It is "}, {"type": "text", "text": "21."}]},
    ]
    asked = (
        Message("system", "Be brief."),
        Message("user", "Weather\nin Rome?"),
        Message("assistant", 'Tool call: weather({"city": "Rome"})'),
        Message("user", "Tool result:\n21 degrees"),
    )
    as_text = table(tmp_path / "r.csv", [{"messages": json.dumps(turns)}])
    for source in (lines(tmp_path / "r.jsonl", [{"messages": turns}]), as_text):
        assert answers(RecordedModel.open(source)) == {asked: Completion("It is 21.", "stop")}


def test_a_call_of_a_tool_is_what_the_model_did(tmp_path):
    turns = [{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
    assert answers(opened(tmp_path, {"messages": turns})) == {
        user("Weather?"): Completion('Tool call: weather({"city": "Rome"})', "stop")
    }


def test_sharegpt_with_a_system_prompt_tools_and_more_turns(tmp_path):
    turns = [
        {"from": "human", "value": "one"},
        {"from": "gpt", "value": "first"},
        {"from": "observation", "value": "seen"},
        {"from": "gpt", "value": "last"},
    ]
    asked = (Message("system", "Be kind."), *user("one"), Message("assistant", "first"), *user("Tool result:\nseen"))
    assert answers(opened(tmp_path, {"conversations": turns, "system": "Be kind."})) == {
        asked: Completion("last", "stop")
    }


def test_thinking_stands_apart_in_whatever_field_it_is(tmp_path):
    thought = {"role": "assistant", "content": "42", "reasoning_content": "Let me see."}
    inline = {"role": "assistant", "content": "<think>Let me see.</think>42"}
    in_parts = {
        "role": "assistant",
        "content": [{"type": "reasoning", "reasoning": "Let me see."}, {"type": "text", "text": "42"}],
    }
    for last in (thought, inline, in_parts):
        model = opened(tmp_path, {"messages": [{"role": "user", "content": "q"}, last]})
        assert answers(model) == {user("q"): Completion("42", "stop", "Let me see.")}


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        (
            [{"role": "user", "content": "q"}],
            "line 1: the last turn of `messages` must be the assistant's, got the user's",
        ),
        ([{"role": "assistant", "content": "a"}], "line 1: `messages` holds no prompt before the response"),
        (
            [{"role": "system", "content": "s"}, {"role": "assistant", "content": "a"}],
            "must be the user's, got the system's",
        ),
        (
            [{"role": "user", "content": " "}, {"role": "assistant", "content": "a"}],
            "a prompt that is not empty, got empty",
        ),
        (
            [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
                {"role": "assistant", "content": "a"},
            ],
            "content that is text in 'messages', got a part of type 'image_url'",
        ),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": None}], "got content of type null"),
        ([{"role": "user", "content": "q"}, "a"], "expected turns with role and content in 'messages', got a text"),
        ([], "expected a text or a list of messages in 'messages', got an empty list"),
        (None, "got null"),
        (7, "got a number"),
        ("hello", "expected a list of turns in 'messages', got a text"),
        ("[{'role': 'user', 'content': 'q'}, {'role'", "a text that is nearly one: write it as JSON"),
    ],
)
def test_conversations_that_are_none(tmp_path, turns, says):
    refused(lambda: opened(tmp_path, {"messages": turns}), says)


# columns


@pytest.mark.parametrize("name", ["model", "model_id", "generator", "model_name", "model_name_or_path"])
def test_the_models_name_under_its_names(tmp_path, name):
    assert opened(tmp_path, {"prompt": "p", "response": "r", name: "org/m"}).id == "org/m"


@pytest.mark.parametrize("path", ["/home/me/runs/tuned", "~/runs/tuned/", "./tuned", "C:\\\\runs\\\\tuned"])
def test_where_a_model_lay_is_in_no_report(tmp_path, path):
    assert opened(tmp_path, {"prompt": "p", "response": "r", "model_name_or_path": path}).id == "tuned"


@pytest.mark.parametrize(
    ("columns", "finish"),
    [
        ({"finish_reason": "length"}, "length"),
        ({"finish_reason": "LENGTH"}, "length"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"stop_reason": "end_turn"}, "stop"),
        ({"done_reason": "stop"}, "stop"),
        ({"finish_reason": "content_filter"}, "refused"),
        ({"finish_reason": None}, "stop"),
        ({"finish": "length", "finish_reason": "stop"}, "length"),
    ],
)
def test_why_a_response_ended_under_its_names(tmp_path, columns, finish):
    assert answers(opened(tmp_path, {"prompt": "p", "response": "r", **columns})) == {
        user("p"): Completion("r", finish)
    }


def test_a_list_of_responses_is_several_samples(tmp_path):
    model = opened(tmp_path, {"prompt": "p", "response": ["one", "two"]})
    assert [answers(model, sample)[user("p")].text for sample in (0, 1)] == ["one", "two"]


def test_instructions_have_their_input(tmp_path):
    model = opened(tmp_path, {"instruction": "Translate.", "input": "Guten Tag", "output": "Good day"})
    assert answers(model) == {user("Translate.\n\nGuten Tag"): Completion("Good day", "stop")}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            {"question": "q", "answer": "a", "prediction": "b"},
            "line 1: the response may be 'answer' or 'prediction'. Say which",
        ),
        (
            {"prompt": "p", "completion": "c", "question": "q", "answer": "a"},
            "the response may be 'completion' or 'answer'",
        ),
        (
            {"prompt": "p", "chosen": "c", "rejected": "r"},
            "expected columns .* got the columns 'prompt', 'chosen', 'rejected'.*--columns",
        ),
        ({"prompt": "p", "Response": "a", "RESPONSE": "b"}, "'Response' and 'RESPONSE' differ only in case"),
        ({"prompt": "p", "response": float("nan")}, "`response` must be text .* got a number"),
        ({"prompt": "p", "response": []}, "got an empty list"),
        ({"prompt": "p", "response": ["a", 1]}, "`response` must be text .* got a list"),
        ({"prompt": "p", "response": {"role": "assistant"}}, "got content of type null"),
        ({"prompt": {"a": "b"}, "response": "r"}, "`prompt` must be text that is not empty, got an object"),
        (
            {"prompt": "p", "response": "r", "finish_reason": "abducted"},
            "`finish_reason` must be one of stop, .* got 'abd",
        ),
        ({"prompt": "p", "response": "r", "sample": "9" * 5000}, "`sample` must be a number"),
    ],
)
def test_rows_of_which_it_cannot_be_told(tmp_path, row, says):
    refused(lambda: opened(tmp_path, row), says)


def test_any_columns_by_name(tmp_path):
    row = {
        "q": "ask",
        "out": {"choices": [{"text": "said"}]},
        "who": "org/m",
        "why": "length",
        "finish_reason": "odd",
        "n": "1",
    }
    columns = "prompt=q, response=out.choices.0.text, model=who, finish=why, sample=n"
    model = opened(tmp_path, row, columns=columns)
    assert model.id == "org/m"
    assert answers(model, sample=1) == {user("ask"): Completion("said", "length")}
    dialog = {"dialog": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    assert answers(opened(tmp_path, dialog, columns="messages=dialog")) == {user("q"): Completion("a", "stop")}
    refused(
        lambda: opened(tmp_path, row, columns="prompt=q,response=out.text"),
        "line 1: there is no 'out.text', which --col",
    )
    refused(lambda: opened(tmp_path, row, columns="prompt=q,response=nothing"), "there is no 'nothing'")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prompt",
        "prompt=q",
        "response=r",
        "frage=q,response=r",
        "prompt=,response=r",
        "prompt=q,prompt=p,response=r",
    ],
)
def test_columns_that_cannot_be_meant(text):
    refused(lambda: named_columns(text), "--columns is .*expected")


# other tools' files


def test_a_choice_among_answers_is_no_text(tmp_path):
    sample = {
        "doc_id": 0,
        "doc": {"q": "?"},
        "target": 1,
        "arguments": {"gen_args_0": {"arg_0": "q", "arg_1": "a"}},
        "resps": [[["-1.5", "False"]], [["-2.5", "True"]]],
        "filtered_resps": [["-1.5", "False"], ["-2.5", "True"]],
    }
    refused(lambda: opened(tmp_path, sample), "likelihoods of choices, no text: only tasks that generate text")


def test_what_failed_in_a_batch_is_left_out_and_counted(tmp_path):
    def request(number):
        return {"custom_id": f"r{number}", "body": {"messages": [{"role": "user", "content": f"q{number}"}]}}

    good = {
        "status_code": 200,
        "body": {"model": "m", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]},
    }
    bad = {"status_code": 429, "body": {"error": {"message": "slow\ndown"}}}
    rows = [
        {"custom_id": "r0", "response": good, "error": None},
        {"custom_id": "r1", "response": bad, "error": None},
        {"custom_id": "r2", "response": None, "error": {"code": "batch_expired", "message": "too late"}},
    ]
    lines(tmp_path / "input.jsonl", [request(number) for number in range(3)])
    assert answers(opened(tmp_path, *rows, name="out.jsonl")) == {
        user("q0"): Completion("a", "stop"),
        user("q1"): Completion("", "error", detail="recorded as failed: slow down"),
        user("q2"): Completion("", "error", detail="recorded as failed: too late"),
    }


def test_inspect_shows_what_solvers_made_of_the_input(tmp_path):
    turns = [
        {"role": "system", "content": "Be brief.", "source": None},
        {"role": "user", "content": "Question: q", "source": "input"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "1", "function": "look", "arguments": {"at": "x"}}],
            "source": "generate",
        },
        {"role": "tool", "content": "seen", "function": "look"},
        {"role": "assistant", "content": "a", "source": "generate"},
    ]
    samples = [
        {
            "id": 1,
            "epoch": epoch,
            "input": "q",
            "messages": turns,
            "error": error,
            "output": {"choices": [{"message": turns[-1], "stop_reason": "max_tokens"}]},
        }
        for epoch, error in ((1, None), (2, {"message": "crashed", "traceback": "..."}))
    ]
    source = document(tmp_path / "log.json", {"version": 2, "eval": {"model": "openai/m"}, "samples": samples})
    model = RecordedModel.open(source)
    asked = (Message("system", "Be brief."), *user("Question: q"))
    assert model.id == "openai/m"
    assert answers(model) == {asked: Completion("a", "length")}
    assert answers(model, sample=1)[asked].detail == "recorded as failed: crashed"


def test_helm_with_chats_and_failures(tmp_path):
    def state(request, result):
        return {"instance": {"id": "id1"}, "request": request, "result": result}

    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
    states = [
        state(
            {"prompt": "", "messages": turns},
            {"success": True, "completions": [{"text": "a", "finish_reason": None}, {"text": "b"}]},
        ),
        state({"prompt": "p"}, {"success": False, "completions": [], "error": "no quota"}),
    ]
    source = document(tmp_path / "scenario_state.json", {"adapter_spec": {"model": "org/m"}, "request_states": states})
    model = RecordedModel.open(source)
    asked = (Message("system", "s"), *user("q"))
    assert model.generate([asked, user("p")], Sampling()) == [
        Completion("a", "stop"),
        Completion("", "error", detail="recorded as failed: no quota"),
    ]
    assert model.generate([asked], Sampling(sample=1)) == [Completion("b", "stop")]
    states[1]["request"] = None
    document(tmp_path / "scenario_state.json", {"request_states": states})
    refused(lambda: RecordedModel.open(source), "line 1: request 2: expected a `request`, got null")


@pytest.mark.parametrize("word", ["None", "null", "NaN", ""])
def test_words_for_nothing_are_nothing_where_no_text_of_a_model_stands(tmp_path, word):
    request = {"prompt": "p", "messages": word}
    result = {"success": "True", "completions": [{"text": word, "finish_reason": {"reason": word}}]}
    failed = {"success": "False", "completions": word, "error": word}
    states = [{"request": request, "result": result}, {"request": {"prompt": "q"}, "result": failed}]
    row = {"adapter_spec": {"model": word, "model_name": "org/m"}, "request_states": states}
    model = RecordedModel.open(document(tmp_path / "scenario_state.json", row))
    assert model.id == "org/m"
    assert answers(model) == {
        user("p"): Completion(word, "stop"),
        user("q"): Completion("", "error", detail="recorded as failed: no reason was given"),
    }
    row = {"prompt": "p", "response": word, "finish": word, "stop_reason": "length", "model": word, "generator": "m"}
    assert answers(opened(tmp_path, row)) == {user("p"): Completion(word, "length")}
    assert opened(tmp_path, row).id == "m"


# columns in one object


def test_lists_in_one_object_are_columns_only_where_they_can_be(tmp_path):
    row = {"prompt": "p", "response": ["r", "s"]}  # samples
    assert answers(opened(tmp_path, row), sample=1) == {user("p"): Completion("s", "stop")}
    one = document(tmp_path / "r.json", {"prompt": ["p"], "response": ["r"]})
    assert answers(RecordedModel.open(one)) == {user("p"): Completion("r", "stop")}
    turns = {"messages": [{"role": "user", "content": "p"}], "response": ["r"]}
    assert answers(opened(tmp_path, turns)) == {user("p"): Completion("r", "stop")}
    uneven = document(tmp_path / "r.json", {"prompt": ["p", "q"], "response": ["r"]})
    refused(lambda: RecordedModel.open(uneven), "as many values in each column, got 2 in 'prompt', 1 in 'response'")


# companions


def test_answers_without_their_questions_say_what_is_missing(tmp_path):
    source = SHAPES["FastChat"].write(
        tmp_path, [{"id": "q1", "prompt": "p", "response": "r", "model": "m", "domain": "d"}]
    )
    questions = tmp_path / "question.jsonl"
    assert common_prompts([RecordedModel.open(source)]) == [("q1", user("p"), "d")]
    elsewhere = questions.rename(tmp_path / "asked here.jsonl")
    assert common_prompts([RecordedModel.open(f"{source}+{elsewhere}")]) == [("q1", user("p"), "d")]
    alone = RecordedModel.open(source)
    says = refused(
        lambda: common_prompts([alone]), "read as FastChat answers, has no prompts: expected the questions file"
    )
    assert f"recorded:{source}+FILE" in says
    refused(
        lambda: RecordedModel.open(f"{source}+{tmp_path}/none.jsonl"),
        "none.jsonl: there is no such file. Expected the f",
    )
    lines(questions, [{"question_id": "q2", "turns": ["p"]}])
    refused(lambda: RecordedModel.open(source), "line 1: the questions file has no question 'q1'")
    lines(questions, [{"question_id": "q1", "turns": ["p"]}] * 2)
    refused(
        lambda: RecordedModel.open(source),
        r"question\.jsonl, line 2: expected a `question_id` of its own .* 'q1' twice",
    )
    lines(questions, [{"turns": ["p"]}])
    refused(lambda: RecordedModel.open(source), r"question\.jsonl, line 1: expected a `question_id` .* got none")
    questions.write_text("{")
    refused(lambda: RecordedModel.open(source), r"question\.jsonl, line 1: not JSON")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"question_id": 1, "text": ["r", "s"], "answer_id": "x"}, "text"),
        ({"question_id": 1, "choices": [{"turns": [["r", "s"]]}]}, "choices"),
        ({"custom_id": "1", "response": {"status_code": 200, "body": {"choices": [{"text": ["r", "s"]}]}}}, "message"),
    ],
    ids=["text", "choices", "message"],
)
def test_several_texts_where_one_belongs_are_refused(tmp_path, row, column):
    source = lines(tmp_path / "r.jsonl", [row])
    refused(lambda: RecordedModel.open(source), rf"line 1: `{column}` must be one text, got a list of 2")


def test_a_second_file_that_nothing_needs_is_refused(tmp_path):
    source = lines(tmp_path / "r.jsonl", [{"prompt": "p", "response": "r"}])
    refused(lambda: RecordedModel.open(f"{source}+{source}"), "hold their own prompts. Leave the second file out")
    plus = lines(tmp_path / "a+b.jsonl", [{"prompt": "p", "response": "r"}])
    assert len(RecordedModel.open(plus).prompts()) == 1


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_what_is_no_regular_file_is_not_waited_for(tmp_path, packed):
    pipe = tmp_path / f"r.jsonl{packed}"
    os.mkfifo(pipe)
    refused(lambda: RecordedModel.open(str(pipe)), r"r\.jsonl(\.gz)? is a pipe: expected a regular file. Write what it")
    source = lines(tmp_path / "a.jsonl", [{"question_id": 1, "choices": [{"turns": ["r"]}]}])
    refused(lambda: RecordedModel.open(f"{source}+{pipe}"), "Expected the file of prompts")
    refused(lambda: RecordedModel.open("/dev/null"), "/dev/null is a device: expected a regular file")


# bytes


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "r.jsonl",
            '{"prompt": "caf\xe9", "response": "r"}\n'.encode("latin-1"),
            "line 1: not UTF-8. Save the file as UTF-8",
        ),
        ("r.csv", "prompt,response\nx,y\ncaf\xe9,r\n".encode("latin-1"), "line 3: not UTF-8"),
        ("r.csv", b"prompt;response\na;b;c\n", "line 2: expected 2 values, .* separated by semicolons"),
        ("r.csv", b"prompt;response\n", "holds no rows"),
        ("r.csv", b"messages,response\n[{broken,r\n", "must be a list of {role, content}, or one as JSON"),
        (
            "r.jsonl",
            b'{"prompt": "a", "response": "b", "response": "c"}\n',
            "line 1: not JSON .two fields have the same name, 'resp",
        ),
        ("r.jsonl", b'{"prompt": "a\x00", "response": "b"}\n', "line 1: not JSON"),
        ("r.jsonl", b'{"prompt": "a", "response": ' + b"9" * 6000 + b"}\n", "line 1: not JSON"),
        ("r.jsonl", b'{"prompt": "a", "response": ' + b"[" * 100_000, "line 1: not JSON"),
        (
            "r.jsonl",
            b'{"prompt": "a", "response": "b", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "nested too deeply",
        ),
        ("r.json", b'[{"prompt": "a", "response": "b"},\n 5]', "item 2: expected a JSON object, got a int"),
        ("r.json", b'[{"prompt": "a", "response": "b"},\n {"prompt"]', "line 2: not JSON"),
        ("r.json", b'{"accuracy": 0.5}', "expected columns `prompt`"),
        ("r.json", b"[]", "holds no rows"),
        ("r.jsonl.gz", b"no gzip at all", "cannot be unpacked as gzip"),
        (
            "r.jsonl.gz",
            gzip.compress(b'{"prompt": "a", "response": "b"}\n' * 99, mtime=0)[:-20],
            "cannot be unpacked as gzip",
        ),
        ("r.eval", b"no zip at all", "is not an archive that can be read"),
        ("r.xlsx", b"x", "files of responses end in .*, this one in .xlsx"),
        ("r.gz", b"x", "this one in nothing"),
    ],
)
def test_bytes_that_cannot_be_read_say_why(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    assert refused(lambda: RecordedModel.open(str(tmp_path / name)), says).startswith(str(tmp_path / name))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_that_a_file_tells_is_read(tmp_path, encoding):
    (tmp_path / "r.jsonl").write_bytes('{"prompt": "数é", "response": "r"}\r\n\r\n'.encode(encoding))
    assert answers(RecordedModel.open(str(tmp_path / "r.jsonl"))) == {user("数é"): Completion("r", "stop")}


def test_columns_without_a_name_are_no_columns(tmp_path):
    (tmp_path / "r.csv").write_text("prompt,response,,\na,b,,\n")
    assert answers(RecordedModel.open(str(tmp_path / "r.csv"))) == {user("a"): Completion("b", "stop")}
    source = table(tmp_path / "r.tsv", [{"prompt": "a,b;c", "response": "d"}], "\t")
    assert answers(RecordedModel.open(source)) == {user("a,b;c"): Completion("d", "stop")}


def test_what_unpacks_to_too_much_is_refused_before_it_is_parsed(tmp_path):
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(b'{"prompt": "' + b"a" * 5_000_000, mtime=0))
    refused(lambda: RecordedModel.open(str(tmp_path / "r.jsonl.gz"), most=1 << 20), "holds more than 1 MB")
    (tmp_path / "r.jsonl").write_bytes(b" " * (1 << 20) + b"x")
    refused(lambda: RecordedModel.open(str(tmp_path / "r.jsonl"), most=1 << 20), "holds more than 1 MB")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b"0" * 5_000_000)
    (tmp_path / "r.eval").write_bytes(packed.getvalue())
    refused(lambda: RecordedModel.open(str(tmp_path / "r.eval"), most=1 << 20), "unpacks to more than 1 MB")
    source = parquet(tmp_path / "r.parquet", [{"prompt": "a" * 100_000, "response": f"{i}"} for i in range(100)])
    refused(lambda: RecordedModel.open(source, most=1 << 20), "holds more than 1 MB")


LOG = inspect_log([{"id": "a", "prompt": "p", "response": "r", "model": "m", "finish": "stop"}])


def archive(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in members:
            written.writestr(name, content)
    return str(path)


def test_an_archive_is_believed_in_nothing(tmp_path):
    source = archive(tmp_path / "r.eval", [("header.json", b" " * 5_000_000)])
    content = (tmp_path / "r.eval").read_bytes().replace((5_000_000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    (tmp_path / "r.eval").write_bytes(content)
    refused(lambda: RecordedModel.open(source, most=1 << 20), "is not an archive that can be read")
    pytest.importorskip("zstandard", reason="needs the extra inspect")
    large = eval_archive(LOG | {"version": "0" * 5_000_000}, 93)
    assert len(large) < 10_000
    (tmp_path / "r.eval").write_bytes(large)
    refused(lambda: RecordedModel.open(source, most=1 << 20), "unpacks to more than 1 MB")
    whole = eval_archive(LOG, 93)
    (tmp_path / "r.eval").write_bytes(whole.replace(bytes.fromhex("28b52ffd"), bytes(4)))
    refused(lambda: RecordedModel.open(source), "is not an archive that can be read")


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([("elsewhere.json", b"{}")], "is no inspect log: expected an archive with header.json or _journal/start.json"),
        ([("header.json", b"{")], "'header.json': not JSON"),
        ([("header.json", b"[" * 100_000)], "'header.json': not JSON"),
        ([("header.json", b"[]")], "'header.json': expected a JSON object, got an empty list"),
        (
            [("header.json", b'{"eval": {"model": "m"}}')],
            "`samples` must be a list of the log's samples, got an empty list",
        ),
        ([("header.json", b'{"eval": {}}'), ("samples/a.json", b"{}")], "sample 1: `input` must be text"),
        (
            [("header.json", b'{"eval": {}}'), ("samples/a.json", b'{"input": "p", "epoch": "x"}')],
            "`epoch` must be a num",
        ),
    ],
)
def test_archives_that_are_no_log(tmp_path, members, says):
    refused(lambda: RecordedModel.open(archive(tmp_path / "r.eval", members)), says)


def test_a_log_of_a_run_that_was_stopped_is_read(tmp_path):
    members = [
        ("_journal/start.json", json.dumps({"eval": LOG["eval"]})),
        ("samples/a.json", json.dumps(LOG["samples"][0])),
    ]
    model = RecordedModel.open(archive(tmp_path / "r.eval", members))
    assert (model.id, answers(model)) == ("m", {user("p"): Completion("r", "stop")})


def test_a_log_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    pytest.importorskip("zstandard", reason="needs the extra inspect")
    (tmp_path / "r.eval").write_bytes(eval_archive(LOG, 93))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"Unpacking .*r\.eval needs .*diffing\[inspect\]"):
        RecordedModel.open(str(tmp_path / "r.eval"))


@pytest.mark.parametrize(
    "source", ["x" * 300, "~nouser1/x.jsonl", "~\0.jsonl", "a\ud800.jsonl", "\0", "x/" * 3000, "+", "a+", "+b"]
)
def test_names_that_no_system_allows_are_no_files(source):
    refused(lambda: RecordedModel.open(source), "there is no such file")


def test_nested_parquet_with_nulls_and_odd_types_is_one_line(tmp_path):
    source = parquet(tmp_path / "r.parquet", [{"prompt": "p", "response": {"a": [{"b": None}]}}])
    refused(
        lambda: RecordedModel.open(source), "row 1: expected turns with role and content in 'response', got content of"
    )
    source = parquet(tmp_path / "r.parquet", [{"prompt": b"\xff", "response": "r"}])
    refused(lambda: RecordedModel.open(source), "row 1: expected a text or a list of messages in 'prompt', got bytes")


def test_halves_of_surrogates_are_marked(tmp_path):
    (tmp_path / "r.jsonl").write_text(json.dumps({"prompt": "p\ud83d", "response": "r\ud83d", "id": "\ud83d"}))
    assert answers(RecordedModel.open(str(tmp_path / "r.jsonl"))) == {user("p?"): Completion("r?", "stop")}
