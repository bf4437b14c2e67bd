"""Recorded responses: what is read, how prompts are joined, and one clear line for every fault with its place."""

import csv
import hashlib
import json
import subprocess
import sys

import pyarrow
import pytest
from pyarrow import parquet

from diffing.errors import SettingError
from diffing.models.base import Sampling
from diffing.models.recorded import RecordedModel, common_prompts
from diffing.types import Completion, Message
from tests.models.questions import user


def rows(count=20, **columns):
    return [{"id": f"p{i}", "prompt": f"prompt {i}", "response": f"response {i}", **columns} for i in range(count)]


def write(path, content):
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def write_csv(path, records):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return str(path)


def write_parquet(path, records):
    parquet.write_table(pyarrow.Table.from_pylist(records), path)
    return str(path)


WRITERS = {"jsonl": write, "csv": write_csv, "parquet": write_parquet}


def one_line(caught):
    assert "\n" not in str(caught.value)
    return str(caught.value)


# what is read


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_reads_the_same(tmp_path, kind):
    records = [
        {
            "id": f"p{i}",
            "prompt": f'multi\nline, "quoted" {i} é',
            "response": f"<think>t</think>r\n\n{i}" if i else "",
            "model": "org/m@abc",
            "domain": "coding",
            "finish": "length",
            "sample": 0,
        }
        for i in range(3)
    ]
    model = RecordedModel.open(WRITERS[kind](tmp_path / f"r.{kind}", records))
    asked = [user(each["prompt"]) for each in records]
    assert model.id == "org/m@abc"
    assert model.prompts() == [(f"p{i}", asked[i], "coding") for i in range(3)]
    assert model.generate(asked, Sampling()) == [
        Completion("", "length"),
        Completion("r\n\n1", "length", "t"),
        Completion("r\n\n2", "length", "t"),
    ]


def test_messages_may_hold_more_turns_and_in_csv_they_are_json(tmp_path):
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    expected = (Message("system", "s"), Message("user", "u"))
    jsonl = write(tmp_path / "r.jsonl", [{"messages": turns, "response": "x"}])
    table = write_csv(tmp_path / "r.csv", [{"messages": json.dumps(turns), "response": "x"}])
    columns = write_parquet(tmp_path / "r.parquet", [{"messages": turns, "response": "x"}])
    for path in (jsonl, table, columns):
        assert RecordedModel.open(path).prompts() == [(None, expected, None)]


def test_without_a_model_column_the_content_is_the_identity(tmp_path):
    path = write(tmp_path / "mine.jsonl", rows())
    digest = hashlib.sha256((tmp_path / "mine.jsonl").read_bytes()).hexdigest()
    assert RecordedModel.open(path).id == f"recorded:mine.jsonl@{digest[:12]}"


def test_bom_crlf_and_blank_lines_are_no_fault(tmp_path):
    lines = b"\xef\xbb\xbf" + b"\r\n".join(json.dumps(row).encode() for row in rows(3)) + b"\r\n\r\n"
    assert len(RecordedModel.open(write(tmp_path / "r.jsonl", lines)).prompts()) == 3
    table = b"\xef\xbb\xbfprompt,response\r\na,b\r\n\r\nc,\r\n"
    assert RecordedModel.open(write(tmp_path / "r.csv", table)).generate([user("c")], Sampling())[0].text == ""


def test_separators_within_json_text_do_not_split_a_line(tmp_path):
    line = '{"prompt": "a", "response": "b\u2028c\x85d"}\n'
    assert RecordedModel.open(write(tmp_path / "r.jsonl", line)).generate([user("a")], Sampling())[0].text == (
        "b\u2028c\x85d"
    )


def test_a_long_csv_field(tmp_path):
    path = write_csv(tmp_path / "r.csv", [{"prompt": "p" * 200_000, "response": "x"}])
    assert len(RecordedModel.open(path).prompts()[0][1][0].content) == 200_000


def test_prompts_that_differ_by_case_or_indentation_alone_are_two(tmp_path):
    prompts = ["if x:\n    y()\nz()", "if x:\n    y()\n    z()", "IF x:\n    y()\nz()"]
    records = [{"prompt": prompt, "response": f"response {i}"} for i, prompt in enumerate(prompts)]
    model = RecordedModel.open(write(tmp_path / "r.jsonl", records))
    assert [messages for _, messages, _ in model.prompts()] == [user(prompt) for prompt in prompts]
    made = model.generate([user(prompt) for prompt in prompts], Sampling())
    assert [completion.text for completion in made] == ["response 0", "response 1", "response 2"]
    with pytest.raises(SettingError, match="no response to 1 of 1 prompts"):
        model.generate([user("if x: y() z()")], Sampling())


def test_samples_are_told_apart(tmp_path):
    records = [
        {"id": f"p{i}", "prompt": f"prompt {i}", "response": f"{i}.{sample}", "sample": sample}
        for sample in (0, 1)
        for i in range(3)
    ]
    model = RecordedModel.open(write(tmp_path / "r.jsonl", records))
    assert len(model.prompts()) == 3
    for sample in (0, 1):
        assert model.generate([user("prompt 2")], Sampling(sample=sample))[0].text == f"2.{sample}"
    with pytest.raises(SettingError, match=r"has no sample 2, only 0, 1\..*need a `sample` column"):
        model.generate([user("prompt 2")], Sampling(sample=2))


def test_the_same_row_twice_under_two_ids_is_one_prompt(tmp_path):
    records = [{"id": "a", "prompt": "p", "response": "x"}, {"id": "b", "prompt": "p", "response": "x"}]
    assert RecordedModel.open(write(tmp_path / "r.jsonl", records)).prompts() == [("a", user("p"), None)]


def test_a_folder_of_parquet_files_is_a_dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mine"
    folder.mkdir()
    for part in (0, 1):
        write_parquet(folder / f"train-{part}.parquet", rows(10)[part * 5 : part * 5 + 5])
    model = RecordedModel.open(str(folder))
    assert len(model.prompts()) == 10
    assert model.id.startswith("recorded:mine@")
    assert RecordedModel.open(str(folder)).id == model.id
    write_parquet(folder / "test-0.parquet", rows(2))
    with pytest.raises(SettingError, match=r"has the splits train, test: choose one, as user/name/SPLIT") as caught:
        RecordedModel.open(str(folder))
    one_line(caught)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match="cannot be read as a dataset") as caught:
        RecordedModel.open(str(tmp_path / "empty"))
    one_line(caught)


def test_real_files_load_without_heavy_libraries(shared_data):
    path = shared_data / "responses" / "pythia12b-rlhf-2k.sample0.jsonl"
    script = (
        "import sys; from diffing.models.recorded import RecordedModel\n"
        "model = RecordedModel.open(sys.argv[1])\n"
        "assert not {'datasets', 'pandas', 'pyarrow', 'torch', 'httpx2'} & set(sys.modules)\n"
        "print(len(model.prompts()), model.id)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    first = json.loads(path.read_text().splitlines()[0])
    assert done.stdout.split(maxsplit=1) == ["250", f"{first['model']}\n"]


# faults


def changed(number, **columns):
    """Twenty good rows of which line `number` is changed."""
    made = rows()
    made[number - 1] = {key: value for key, value in (made[number - 1] | columns).items() if value != "DELETE"}
    return made


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (changed(17, response=None), "line 17: `response` must be text .* got null"),
        (changed(17, response=5), "line 17: `response` must be text .* got a number"),
        (changed(17, response="DELETE"), r"line 17: expected columns .*`response`, got the columns 'id', 'prompt'"),
        (
            changed(17, prompt="DELETE", id="DELETE"),
            r"line 17: expected columns `prompt` .* got the columns 'response'",
        ),
        (changed(17, prompt="  "), "line 17: `prompt` must be text that is not empty, got empty text"),
        (changed(17, prompt=None), "line 17: `prompt` must be text that is not empty, got null"),
        (
            changed(17, messages="[{"),
            "line 17: `messages` must be a list of {role, content}, or one as JSON, got a text",
        ),
        (changed(17, messages=[]), "line 17: `messages` must be a list of {role, content}"),
        (
            changed(17, messages=[{"role": "wizard", "content": "x"}]),
            r"line 17: expected turns with role \(system, user, assistant\) and content in 'messages', got role 'wiz",
        ),
        (
            changed(17, messages=[{"role": "assistant", "content": "x"}]),
            "line 17: the last of `messages` must be the u",
        ),
        (changed(17, id="p3"), "line 17: id 'p3' is already that of line 4. Ids must be unique"),
        (changed(17, id=["x"]), "line 17: `id` must be text, got a list"),
        (changed(17, prompt="prompt 3"), "line 17: the prompt of line 4 again, with another response.*`sample` column"),
        (changed(17, sample="first"), "line 17: `sample` must be a number 0, 1, ..., got 'first'"),
        (changed(17, sample=True), "line 17: `sample` must be a number"),
        (
            changed(17, finish="done"),
            "line 17: `finish` must be one of stop, length, refused, rejected, error, got 'done'",
        ),
        (changed(17, model=3), "line 17: `model` must be text, got a number"),
        (changed(17, model="b") + rows(1, id="z", prompt="z", model="a"), r"holds responses of 2 models \('a', 'b'\)"),
        ("\n \n", "is empty: expected rows with a prompt and a response"),
        ("", "is empty: expected rows"),
        ('{"prompt": "a", "response": "b"}\n' * 2 + "{broken\n", "line 3: not JSON .* correct or remove it"),
        ('{"prompt": "a", "response": "b"}\n[1]\n', "line 2: expected a JSON object, got a list"),
        (b'{"prompt": "a", "response": "b"}\n{"prompt": "\xff", "response": "b"}\n', "line 2: not UTF-8"),
        ("[" * 100_000, "line 1: not JSON"),
    ],
)
def test_a_fault_in_jsonl_is_one_line_with_its_place(tmp_path, content, says):
    path = write(tmp_path / "r.jsonl", content)
    with pytest.raises(SettingError, match=says) as caught:
        RecordedModel.open(path)
    assert one_line(caught).startswith(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("prompt,answer\na,b\n", "line 2: expected columns .* got the columns 'prompt', 'answer'"),
        ("prompt,response\n", "holds no rows"),
        ("prompt,response,response\na,b,c\n", "line 1: two columns have the same name"),
        ('prompt,response\n"a\nb",c\nd\n', "line 4: expected 2 values, as in the header"),
        ("prompt,response\na,b,c\n", "line 2: expected 2 values, as in the header"),
        ('prompt,response\na,"b\n', "line 2: not CSV .* Check the quotation marks"),
        (b"prompt,response\na,b\nc,\xff\n", "line 3: not UTF-8"),
    ],
)
def test_a_fault_in_csv_is_one_line_with_its_place(tmp_path, content, says):
    path = write(tmp_path / "r.csv", content)
    with pytest.raises(SettingError, match=says) as caught:
        RecordedModel.open(path)
    assert one_line(caught).startswith(path)


def test_faults_of_files(tmp_path):
    with pytest.raises(SettingError, match=r"nowhere\.jsonl: there is no such file") as caught:
        RecordedModel.open(str(tmp_path / "nowhere.jsonl"))
    one_line(caught)
    with pytest.raises(SettingError, match="there is no such file"):
        RecordedModel.open("responses.parquet")
    with pytest.raises(SettingError, match=r"end in \.jsonl, .*, \.parquet, \.eval, this one in \.txt"):
        RecordedModel.open(write(tmp_path / "r.txt", "x"))
    with pytest.raises(SettingError, match="is not a parquet file that can be read") as caught:
        RecordedModel.open(write(tmp_path / "r.parquet", "PAR1 not really"))
    one_line(caught)
    records = write_parquet(tmp_path / "null.parquet", [{"prompt": "a", "response": None}])
    with pytest.raises(SettingError, match="row 1: `response` must be text"):
        RecordedModel.open(records)


def test_a_dataset_that_cannot_be_had_is_one_line(tmp_path):
    """In a process of its own: `datasets` reads these settings when it is imported."""
    script = (
        "from diffing.models.recorded import RecordedModel; from diffing.errors import HubError\n"
        "try: RecordedModel.open('nobody/nothing@main:default/train')\n"
        "except HubError as error: print(error)"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    [line] = done.stdout.splitlines()
    assert line.startswith("Offline mode is on (HF_HUB_OFFLINE): nobody/nothing was not asked for")


# two sides


def test_prompts_without_a_response_are_counted(tmp_path):
    model = RecordedModel.open(write(tmp_path / "r.jsonl", rows(5)))
    with pytest.raises(SettingError, match=r"no response to 2 of 3 prompts, the first of them 'other \[x\]'") as caught:
        model.generate([user("prompt 1"), user("other\n[x]"), user("more")], Sampling())
    one_line(caught)


def test_two_sides_share_their_prompts_or_say_how_many(tmp_path):
    one = RecordedModel.open(write(tmp_path / "a.jsonl", rows(5)))
    same = RecordedModel.open(write(tmp_path / "b.jsonl", list(reversed(rows(5, model="b")))))
    assert common_prompts([one, same]) == one.prompts()
    assert common_prompts([one]) == one.prompts()
    more = RecordedModel.open(write(tmp_path / "c.jsonl", rows(8)[2:]))
    with pytest.raises(
        SettingError, match=r"there are 5 in .*a\.jsonl and 6 in .*c\.jsonl, of which 3 are common.*--only"
    ) as c:
        common_prompts([one, more])
    one_line(c)
    assert common_prompts([one, more], only_common=True) == one.prompts()[2:]
    shouted = [row | {"prompt": row["prompt"].upper() if i < 2 else row["prompt"]} for i, row in enumerate(rows(5))]
    with pytest.raises(
        SettingError, match=r"of which 3 are common\. 2 more differ by case or white space alone\. Compare"
    ):
        common_prompts([one, RecordedModel.open(write(tmp_path / "e.jsonl", shouted))])
    others = [{"id": f"p{i}", "prompt": f"unlike {i}", "response": "x"} for i in range(5)]
    other = RecordedModel.open(write(tmp_path / "d.jsonl", others))
    with pytest.raises(SettingError, match=r"of which 0 are common\. Record both models on one set"):
        common_prompts([one, other], only_common=True)


def test_a_side_that_has_only_ids_is_joined_on_them(tmp_path):
    one = RecordedModel.open(write(tmp_path / "a.jsonl", rows(3)))
    ids = RecordedModel.open(write(tmp_path / "b.jsonl", [{"id": f"p{i}", "response": f"b{i}"} for i in (2, 1, 0)]))
    prompts = common_prompts([one, ids])
    assert prompts == one.prompts()
    made = ids.generate([messages for _, messages, _ in prompts], Sampling())
    assert [each.text for each in made] == ["b0", "b1", "b2"]
    with pytest.raises(SettingError, match=r"b\.jsonl has ids but no prompts"):
        common_prompts([ids.__class__.open(str(tmp_path / "b.jsonl"))])
