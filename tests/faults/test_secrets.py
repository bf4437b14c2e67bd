"""Servers that echo what they were sent: the key is in nothing that a run stores or shows, in no form."""

import base64
import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

from diffing.cli.terminal_text import PlainFormatter
from diffing.config import DiffConfig
from diffing.errors import DiffingError
from diffing.models.cache import Store
from diffing.outputs.html import write_html
from diffing.report import save_report
from diffing.run import run
from tests.cli.conftest import Run, run_cli  # noqa: F401 - a fixture
from tests.cli.world import World, flags, write_prompts
from tests.faults.servers import hit
from tests.fewer import fewer
from tests.servers.openai_server import Body, Echo, OpenAIServer, Status, chat_body
from tests.servers.router import router_at

KEY = "sk-My+own/Key=4711&abc"
JSON = "application/json"
Headers = Mapping[str, str]


def answered(text: str, **message: object) -> Body:
    return Body(json.dumps(chat_body(text, **message)), JSON)


def basic(secret: str) -> str:
    return base64.b64encode(f"user:{secret}".encode()).decode()


PARTLY: dict[str, Callable[[Headers], Status | Body]] = {
    "plain text": lambda sent: Body(f"auth={sent['authorization']}", "text/plain"),
    "the headers as JSON": lambda sent: Body(json.dumps(dict(sent)), JSON),
    "JSON of an error": lambda sent: Status(500, f"upstream said: {sent['authorization']}"),
    "JSON of an error, as it is": lambda sent: Status(500, body={"request": {"headers": dict(sent)}}),
    "JSON of a rejection": lambda sent: Status(400, f"bad request, headers {dict(sent)}"),
    "a prompt too long": lambda sent: Status(422, f"prompt is too long: {sent['authorization']} > 200000 maximum"),
    "refused by policy": lambda sent: Status(400, f"content_filter {sent['authorization']}"),
    "a page of HTML": lambda sent: Body(f"<html><pre>{sent['authorization']}</pre></html>", status=502),
    "a page, escaped": lambda sent: Body(f"<p>{sent['authorization'].replace('&', '&amp;')}</p>", status=502),
    "a redirect": lambda sent: Status(302, headers={"Location": f"/login?api_key={quote(_key(sent), safe='')}"}),
    "a redirect's page": lambda sent: Body(f"<a href='http://u:{quote(_key(sent), safe='')}@h/'>here</a>", status=301),
    "base64": lambda sent: Status(500, f"Basic {basic(_key(sent))}"),
    "hexadecimal": lambda sent: Status(500, f"key {_key(sent).encode().hex()}"),
    "a wrong key": lambda sent: Status(403, f"Incorrect API key provided: {_key(sent)}"),
    "Retry-After": lambda sent: Status(503, headers={"Retry-After": _key(sent)}),
    "an answer": lambda sent: answered(f"You sent {sent['authorization']}, did you not? I shall answer later."),
    "an answer in base64": lambda sent: answered(f"You sent {basic(_key(sent))}"),
    "thinking": lambda sent: answered("Here is what is known.", reasoning_content=sent["authorization"]),
    "a tag of thinking": lambda sent: answered(f"<think_{_key(sent)}>"),
    "a refusal": lambda sent: answered("", refusal=f"Not with {_key(sent)}"),
    "the model's name": lambda sent: Body(json.dumps(chat_body("x") | {"model": f"m-{_key(sent)}"}), JSON),
    "a finish_reason": lambda sent: Body(json.dumps(chat_body(None, _key(sent))), JSON),
    "an error within a 200": lambda sent: Body(json.dumps({"error": {"message": dict(sent), "code": 502}}), JSON),
    "a type": lambda sent: Body(json.dumps({"choices": [{"message": {"content": dict(sent)}}]}), JSON),
    "the beginning of JSON": lambda sent: Body("x" * 45 + _key(sent), JSON),
}
"""What comes back for a share of the questions; each from the headers that came."""
ENDING: dict[str, Callable[[Headers], Status | Body]] = {
    "401": lambda sent: Status(401, f"Incorrect API key provided: {sent['authorization']}"),
    "402": lambda sent: Status(402, f"no money for {_key(sent)}"),
    "no credit": lambda sent: Status(429, f"You exceeded your current quota, {_key(sent)}"),
    "404": lambda sent: Status(404, f"{_key(sent)} has no such model"),
    "a redirect": lambda sent: Status(301, headers={"Location": f"https://{quote(_key(sent), safe='')}@host/"}),
    "put off": lambda sent: Status(429, f"for {_key(sent)}", headers={"Retry-After": "86400"}),
    "too many tokens": lambda sent: Status(400, f"max_tokens is too large: at most 512 for {_key(sent)}"),
    "down": lambda sent: Body(f"<p>{quote(sent['authorization'])}</p>", status=503),
}
"""What ends a run in one line."""


def _key(sent: Headers) -> str:
    return sent["authorization"].removeprefix("Bearer ")


@dataclass(frozen=True)
class Leaks:
    """Where secrets were looked for."""

    secret: str

    @property
    def forms(self) -> tuple[str, ...]:
        """What must not be found; of base64 the middle, which does not depend on what stands before."""
        raw = self.secret.encode()
        middles = [base64.b64encode(b"\0" * skip + raw).decode()[4:-8] for skip in range(3)]
        half = self.secret[: len(self.secret) * 2 // 3]
        return (half, quote(half, safe=""), raw.hex()[:-8], json.dumps(half)[1:-1].replace("/", "\\/"), *middles)

    def check(self, name: str, content: str) -> None:
        found = [form for form in self.forms if form.lower() in content.lower()]
        assert found == [], f"{name} holds the key"

    def check_folder(self, folder: Path) -> int:
        """Every file of a folder, parquet and SQLite also as what they hold; how many there were."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        for path in files:
            self.check(path.name, f"{path} {path.read_bytes().decode(errors='replace')}")
            if path.suffix == ".parquet":
                self.check(path.name, repr(pq.read_table(path).to_pylist()))
            if path.suffix == ".sqlite":
                with sqlite3.connect(path) as database:
                    self.check(path.name, repr(database.execute("SELECT * FROM texts").fetchall()))
        return len(files)


def test_the_forms_would_be_found(tmp_path: Path) -> None:
    leaks = Leaks(KEY)
    for form in (KEY, f"x{KEY}", quote(KEY, safe=""), basic(KEY), KEY.encode().hex(), KEY.upper(), KEY[:-3]):
        with pytest.raises(AssertionError, match="holds the key"):
            leaks.check("text", f"a {form} b")
    (tmp_path / "f.json").write_text(json.dumps({"a": KEY}))
    with pytest.raises(AssertionError, match="holds the key"):
        leaks.check_folder(tmp_path)


def _check_run(url: str, models: tuple[str, str], secret: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One run in this process with all that it leaves."""
    folder.mkdir()
    prompts = write_prompts(folder / "prompts.jsonl")
    leaks = Leaks(secret)
    config = DiffConfig(*models, prompts=str(prompts), train=10, heldout=6, timeout=3.0, base_url=url)
    store = Store(folder / "cache" / "completions.sqlite")
    try:
        report = run(config, store=store)
    except DiffingError as error:
        leaks.check("the error", str(error))
    else:
        save_report(report, folder / "out")
        write_html(report, folder / "out" / "report.html")
        leaks.check("the report", repr(report))
    finally:
        store.close()
    formatter = PlainFormatter("%(message)s")
    leaks.check("the log", "\n".join(map(formatter.format, caplog.records)))
    assert leaks.check_folder(folder) >= 2


@pytest.mark.parametrize(
    "name", fewer(PARTLY, ("JSON of an error, as it is", "a page, escaped", "base64", "an answer", "the model's name"))
)
def test_an_echo_at_a_share_of_the_calls(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.INFO)
    with OpenAIServer(World()) as server:
        server.fault = lambda request: Echo(PARTLY[name]) if request["model"] == "a" and hit(request, 4) else None
        _check_run(server.base_url, ("openai:a", "openai:b"), KEY, tmp_path / "run", caplog)
        assert all(sent["authorization"] == f"Bearer {KEY}" for sent in server.headers)


@pytest.mark.parametrize("name", fewer(ENDING, ("401", "a redirect")))
def test_an_echo_that_ends_the_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with OpenAIServer(World(), fault=lambda request: Echo(ENDING[name])) as server:
        _check_run(server.base_url, ("openai:a", "openai:b"), KEY, tmp_path / "run", caplog)
        assert server.count >= 1


@pytest.mark.parametrize(
    "name",
    fewer(("plain text", "JSON of an error", "an answer", "a wrong key", "a redirect"), ("an answer", "a wrong key")),
)
def test_the_hubs_token_at_the_router(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    monkeypatch.setenv("HF_TOKEN", token)

    def answer(request: dict[str, Any]) -> Any:
        return World()(request | {"model": request["model"].removeprefix("org/")})

    with OpenAIServer(answer) as server, router_at(server):
        server.fault = lambda request: Echo(PARTLY[name]) if request["model"] == "org/a" and hit(request) else None
        _check_run(server.base_url, ("providers:org/a", "providers:org/b"), token, tmp_path / "run", caplog)
        assert all(sent["authorization"] == f"Bearer {token}" for sent in server.headers)


def test_the_command_leaves_it_nowhere(run_cli: Run, tmp_path: Path) -> None:  # noqa: F811
    """With everything at once, and every file that can be exported."""
    echoes = list(PARTLY.values())
    leaks = Leaks(KEY)
    with OpenAIServer(World()) as server:
        server.fault = lambda request: (
            Echo(echoes[len(request["messages"][-1]["content"]) * 7 % len(echoes)]) if hit(request, 9) else None
        )
        command = ["run", *flags(server, write_prompts(tmp_path / "prompts.jsonl")), "--out", tmp_path / "out"]
        env = {"OPENAI_API_KEY": KEY}
        sizes = ["--train", "20", "--heldout", "10", "--timeout", "5"]
        shown = [run_cli(*command, *sizes, env=env)]
        shown += [run_cli("show", tmp_path / "out", env=env), run_cli("show", tmp_path / "out", "--json", env=env)]
        for kind in ("html", "md", "csv", "parquet"):
            shown.append(
                run_cli("export", tmp_path / "out", "--format", kind, "--out", tmp_path / f"x.{kind}", env=env)
            )
        server.fault = lambda request: Echo(ENDING["401"])
        ended = run_cli(*command[:-1], tmp_path / "two", env=env | {"DIFFING_CACHE": str(tmp_path / "none")})
    for each in shown:
        assert each.returncode == 0, each.stderr
    assert ended.returncode == 2
    for each in (*shown, ended):
        leaks.check("the output", each.stdout + each.stderr)
    assert leaks.check_folder(tmp_path) >= 8


@pytest.mark.parametrize(
    "model",
    [
        "openai:m@http://me:{}@127.0.0.1:9/v1",
        "openai:m@http://127.0.0.1:9/v1?api_key={}",
        "openai:m@http://{}@127.0.0.1:9/v1",
    ],
)
def test_a_key_within_an_address_is_refused_and_not_repeated(run_cli: Run, tmp_path: Path, model: str) -> None:  # noqa: F811
    secret = "sk-4711abcdefgh"
    for command in ("run", "estimate"):
        ended = run_cli(command, model.format(secret), "recorded:none.jsonl")
        assert ended.returncode == 2
        assert "The address of a server holds a user, password or query" in ended.stderr
        Leaks(secret).check("the output", ended.stdout + ended.stderr)
    Leaks(secret).check_folder(tmp_path)
