"""Datasets, streamed by the real clients from folders, and from a Hub that is a server on loopback."""

import json
import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffing.errors import DiffingError, HubError, SettingError
from diffing.models.recorded import RecordedModel
from diffing.prompts import load_prompts, prompts_from
from diffing.prompts.hub import SOURCE, open_dataset
from diffing.types import Message
from tests.hub import LocalHub
from tests.starter import Starter


def wildchat(count: int) -> list[dict[str, object]]:
    """Rows shaped as WildChat's."""
    return [
        {
            "conversation_hash": f"h{i}",
            "model": "gpt",
            "conversation": [
                {
                    "role": "user",
                    "content": f"Question {i // 2}",
                    "language": "English",
                    "redacted": False,
                    "toxic": True,
                },
                {"role": "assistant", "content": "Answer", "language": "English", "redacted": False, "toxic": False},
                {
                    "role": "user",
                    "content": f"Second turn {i}",
                    "language": "English",
                    "redacted": False,
                    "toxic": False,
                },
            ],
            "turn": 2,
            "language": "English" if i % 4 < 2 else "German",
            "toxic": True,
            "redacted": False,
        }
        for i in range(count)
    ]


def parquet(folder: Path, rows: list[dict[str, object]], name: str = "train-00000-of-00001.parquet") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return folder


def test_wildchat_shaped_parquet(tmp_path: Path) -> None:
    got = load_prompts(str(parquet(tmp_path / "wild", wildchat(400))), train=40, heldout=20, language="English")
    assert len(got) == 60
    assert {prompt.source for prompt in got} == {"wild"}
    assert all(re.fullmatch(r"Question \d+", prompt.text) and len(prompt.messages) == 1 for prompt in got)
    assert len({prompt.text for prompt in got}) == 60  # each question is there twice
    assert all(int(prompt.text.split()[1]) % 2 == 0 for prompt in got)  # the others are German


def test_asking_a_stream_for_more_only_adds(tmp_path: Path) -> None:
    folder = str(parquet(tmp_path / "wild", wildchat(400)))
    few, more = (load_prompts(folder, train=2 * n, heldout=n) for n in (10, 30))
    assert (len(few), len(more)) == (30, 90)
    assert {(prompt.id, prompt.split) for prompt in few} <= {(prompt.id, prompt.split) for prompt in more}


def test_sharegpt_shaped_jsonl_and_a_row_without_a_prompt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {"id": f"x{i % 5}", "conversations": [{"from": "human", "value": f"Q{i}"}, {"from": "gpt", "value": "A"}]}
        for i in range(40)
    ]
    rows[3]["conversations"] = []
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    got = load_prompts(str(tmp_path), train=200, heldout=100)
    assert len(got) == 39
    assert "1 of 40 rows contain no prompt" in caplog.text
    assert "fewer than requested" in caplog.text


def test_plain_columns_and_one_split_that_is_not_train(tmp_path: Path) -> None:
    folder = parquet(
        tmp_path / "plain", [{"instruction": f"Do {i}", "input": "", "output": ""} for i in range(40)], "test.parquet"
    )
    assert len(load_prompts(str(folder), train=8, heldout=8)) == 16


def test_no_more_rows_are_read_than_the_bound(tmp_path: Path) -> None:
    rows = [{"prompt": f"Q{i}", "language": "German" if i == 1400 else "English"} for i in range(1500)]
    folder = str(parquet(tmp_path / "rare", rows))
    with pytest.raises(SettingError, match="rare: expected prompts, got none; check the file, the language"):
        load_prompts(folder, train=1, heldout=1, language="German")  # reads 1,100 rows


@pytest.mark.parametrize(("options", "message"), [
    ({"column": "question"}, "odd: expected the column 'question', got the columns 'frage', 'antwort'"),
    ({}, "odd: expected one of the columns messages"),
])  # fmt: skip
def test_no_usable_column(tmp_path: Path, options: dict[str, str], message: str) -> None:
    folder = parquet(tmp_path / "odd", [{"frage": "x", "antwort": "y"}])
    with pytest.raises(SettingError, match=re.escape(message)):
        load_prompts(str(folder), train=2, heldout=1, **options)  # type: ignore[arg-type]


def test_several_splits_without_train(tmp_path: Path) -> None:
    folder = parquet(tmp_path / "two", [{"prompt": "x"}], "test.parquet")
    parquet(folder, [{"prompt": "y"}], "validation.parquet")
    with pytest.raises(SettingError, match=r"expected one of the splits .*validation.*; name one with /split"):
        load_prompts(str(folder), train=2, heldout=1)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="the dataset cannot be read"):
        load_prompts(str(tmp_path), train=2, heldout=1)


@pytest.mark.parametrize(("source", "parts"), [
    ("org/name", ("org/name", None, None, None)),
    ("org/na.me-1_x@v1.0", ("org/na.me-1_x", "v1.0", None, None)),
    ("org/name@refs/pr/3:cfg/train", ("org/name", "refs/pr/3", "cfg", "train")),
    ("org/name:en-US", ("org/name", None, "en-US", None)),
    ("org/name/test", ("org/name", None, None, "test")),
])  # fmt: skip
def test_names_of_datasets(source: str, parts: tuple[str | None, ...]) -> None:
    match = SOURCE.fullmatch(source)
    assert match is not None
    assert tuple(match[part] for part in ("repo", "revision", "config", "split")) == parts


@pytest.mark.parametrize("source", ["name", "../x/y/z", "org/name@", "https://example.org/x", "org/name\n", "a b/c"])
def test_what_is_no_name_of_a_dataset(source: str) -> None:
    with pytest.raises(SettingError, match=r"expected `bundled`, a file"):
        open_dataset(source)


# a Hub on loopback


def sha_of(hub: LocalHub) -> str:
    return hub.repo("org/good", "dataset").head


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    rows = [{"prompt": f"Question {i}"} for i in range(90)]
    folder = tmp_path_factory.mktemp("good")
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with LocalHub() as local:
        for name in ("good", "gated", "broken"):
            local.push_folder(f"org/{name}", folder, "dataset")
        for name, files in (("thief", "/etc/*.conf"), ("asker", "http://127.0.0.1:9/x.json")):
            own = "- config_name: own\n  data_files: data.jsonl\n"
            card = f"---\nconfigs:\n{own}- config_name: x\n  data_files: '{files}'\n---"
            (folder / "README.md").write_text(card)
            local.push_folder(f"org/{name}", folder, "dataset")
        # with six more lists of ten it would be a million names; this Hub makes all of them
        many = "configs:\n- config_name: x\n  a: &a [x, x]\n  b: &b [*a, *a]\n  data_files: *b\n"
        for name, card in (("many", f"---\n{many}---"), ("endless", f"---\nx: y\n---\n{'x' * 1_000_001}")):
            (folder / "README.md").write_text(card)
            local.push_folder(f"org/{name}", folder, "dataset")
        local.gate("org/gated", "dataset")
        local.faults.add(path="/org/broken", status=500, times=1000)
        yield local


@pytest.fixture(scope="module")
def token(hub: LocalHub) -> str:
    return hub.add_user("carol")


@pytest.fixture(scope="module")
def answers(hub: LocalHub, token: str, starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Per source what loading it says; in one process of its own, since the Hub's address is read at import."""
    sources = ["org/good", "org/good@main", f"org/good@{sha_of(hub)}:default/train", "org/good:nosuchconfig",
               "org/good/nosuchsplit",
               "org/good@nosuchrevision", "org/missing", "org/gated", "org/broken",
               "org/many:x", "org/endless",
               "org/thief:x", "org/asker:x", "org/thief:own"]  # fmt: skip
    code = textwrap.dedent("""
        import json, sys
        from diffing.errors import DiffingError
        from diffing.prompts import load_prompts
        said = {}
        for source in sys.argv[1:]:
            try:
                got = load_prompts(source, train=20, heldout=10)
                said[source] = f"{len(got)} {got[0].source}"
            except DiffingError as error:
                said[source] = f"{type(error).__name__}: {error}"
        print(json.dumps(said))
    """)
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.endpoint,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path_factory.mktemp("hf")),
        "HF_TOKEN": token,
    }
    done = starter.run(["-c", code, *sources], environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("source", ["org/good", "org/good@main"])
def test_a_dataset_on_the_hub_is_pinned_to_its_commit(hub: LocalHub, answers: dict[str, str], source: str) -> None:
    assert answers[source] == f"30 org/good@{sha_of(hub)}"


def test_configuration_and_split_are_named(hub: LocalHub, answers: dict[str, str]) -> None:
    assert answers[f"org/good@{sha_of(hub)}:default/train"] == f"30 org/good@{sha_of(hub)}:default/train"


@pytest.mark.parametrize(("source", "message"), [
    ("org/missing", "HubError: org/missing does not exist on the Hub, or is private and you are not signed in"),
    ("org/gated", "HubError: org/gated is gated: ask for access at https://huggingface.co/datasets/org/gated"),
    ("org/good@nosuchrevision", "HubError: org/good has no revision nosuchrevision: expected a branch, tag or commit"),
    ("org/broken", "HubError: The Hub answered 500 for org/broken"),
    ("org/thief:x", "HubError: org/thief names files outside the dataset ('/etc/*.conf'): expected files of the"),
    ("org/thief:own", "HubError: org/thief names files outside the dataset"),
    ("org/many:x", "HubError: The card of org/many has metadata that cannot be read (it has aliases (*name))"),
    ("org/endless", "HubError: README.md of org/endless has 1.0 MB: expected at most 1 MB. It was not read"),
    ("org/asker:x", "HubError: org/asker names files outside the dataset ('http://127.0.0.1:9/x.json'): expected"),
    ("org/good:nosuchconfig", "SettingError: org/good@SHA:nosuchconfig: BuilderConfig 'nosuchconfig' not found"),
    ("org/good/nosuchsplit", "SettingError: org/good@SHA/nosuchsplit: expected one of the splits train, got nosuch"),
])  # fmt: skip
def test_what_the_hub_refuses_is_one_line_without_a_token(
    hub: LocalHub, token: str, answers: dict[str, str], source: str, message: str
) -> None:
    assert answers[source].startswith(message.replace("SHA", sha_of(hub)))
    assert "\n" not in answers[source]
    assert token not in answers[source]


def test_no_network(starter: Starter) -> None:
    code = "from diffing.prompts import load_prompts; load_prompts('org/any')"
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = starter.run(["-c", code], environment)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "diffing.errors.HubError: Cannot reach the Hub for org/any (ConnectError): check the network"
    )


def test_records_of_recorded_models() -> None:
    records = [(f"r{i}", (Message("user", f"Ask {i}"),), None) for i in range(30)]
    assert {prompt.id for prompt in prompts_from(iter(records), "recorded", 100, 50)} == {f"r{i}" for i in range(30)}


@pytest.mark.parametrize(("files", "message"), [
    ({"a.jsonl": b'{"prompt": "x"}\n', "b.jsonl": b'{"frage": "y"}\n'}, "its files do not have the same columns"),
    ({"a.jsonl": b'{"prompt": "x"}\n{"prompt": \n'}, "odd: the dataset cannot be read: "),
    ({"a.parquet": b"PAR1 not really"}, "odd: "),
    ({"a.jsonl.gz": b"no gzip"}, "odd: the dataset cannot be read: "),
])  # fmt: skip
def test_files_of_a_dataset_that_do_not_fit_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], message: str
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with pytest.raises(DiffingError, match=re.escape(message)) as caught:
        load_prompts(str(folder), train=200, heldout=100)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SettingError, match=r"odd cannot be read as a dataset") as refused:
        RecordedModel.open(str(folder))
    assert "\n" not in str(refused.value)
