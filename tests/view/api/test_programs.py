"""Programs and agents get the page's functions, under the page's rules, each with its own token."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from diffing.outputs.phrasing import line_statement
from diffing.view.api import ENDPOINTS
from diffing.view.runs import OWN_MACHINE
from tests.cli import recordings
from tests.hub import LocalHub
from tests.view.gallery.cards import publish_card
from tests.view.served import Served, served
from tests.waiting import DEADLINE

pytestmark = pytest.mark.usefixtures("quick_runs")
NAMES = [function.__name__ for function in ENDPOINTS]
FEW = replace(OWN_MACHINE, max_prompts=60)


@pytest.fixture(scope="module")
def hub() -> Iterator[LocalHub]:
    """The local Hub, for all tests of this file."""
    with LocalHub() as local, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", local.endpoint)
        patch.setenv("HF_TOKEN", local.add_user("machine"))
        yield local


@pytest.fixture(scope="module")
def at(hub: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("programs") / "site", rules=FEW) as page:
        yield page


@pytest.fixture(scope="module")
def private(hub: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The token of alice, who alone sees her diff."""
    token = hub.add_user("alice")
    publish_card(hub, tmp_path_factory.mktemp("card"), "alice/own", ("org/base", "org/tuned"), findings=3)
    hub.make_private("alice/own", "dataset")
    return token


def client(at: Served, **options: Any) -> Any:
    """Gradio's own client."""
    from gradio_client import Client

    return Client(at.url, verbose=False, download_files=False, analytics_enabled=False, **options)


def test_what_is_documented_is_what_we_give_and_nothing_else(at: Served) -> None:
    info = httpx2.get(f"{at.url}gradio_api/info", timeout=DEADLINE).json()
    assert (list(info["named_endpoints"]), info["unnamed_endpoints"]) == ([f"/{name}" for name in NAMES], {})
    for name, endpoint in info["named_endpoints"].items():
        assert endpoint["description"], name
        assert endpoint["oauth_token"] == "optional"
        assert endpoint["returns"][0]["type"]["properties"], name
        for parameter in endpoint["parameters"]:
            assert parameter["python_type"]["description"], (name, parameter)
            assert not {"request", "token", "x_hf_token", "call"} & {parameter["parameter_name"]}
    asked = info["named_endpoints"]["/compare_models"]["parameters"]
    assert [each["parameter_name"] for each in asked if not each["parameter_has_default"]] == ["model_a", "model_b"]


def test_a_run_by_the_words_of_the_readme(at: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example as it is written, but for the names of what it compares, and for its pauses."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "gradio_client" in block]
    (example,) = blocks
    a, b = recordings.pair(tmp_path)
    changed = {"http://127.0.0.1:7860": at.url, "org/base": a, "org/tuned": b, "sleep(10)": "sleep(0.2)"}
    changed["train=100, heldout=50"] = "train=40, heldout=20"  # the site of this test allows no more
    for name, value in changed.items():
        assert name in example
        example = example.replace(name, value)
    exec(compile(example, "README.md", "exec"), {"__name__": "example"})
    assert "praises" in capsys.readouterr().out


def test_a_run_from_its_estimate_to_its_evidence(at: Served, tmp_path: Path) -> None:
    programs = client(at)
    a, b = recordings.pair(tmp_path)
    asked = {"model_a": a, "model_b": b, "train": 40, "heldout": 20}
    estimate = programs.predict(**asked, api_name="/estimate_diff")
    assert (estimate["usd"], [each["name"] for each in estimate["stages"]]) == (0, ["responses a", "responses b"])
    run = programs.predict(**asked, settings={"seed": 1}, api_name="/compare_models")
    assert run["link"] == f"{at.url}?run={run['run']}"
    config = at.site.run_manager.config(run["run"])
    assert config is not None
    assert (config.seed, config.train, config.max_new_tokens) == (1, 40, 512)
    end = time.monotonic() + DEADLINE
    while (state := programs.predict(run["run"], api_name="/diff_state"))["state"] in ("queued", "running"):
        assert time.monotonic() < end
        time.sleep(0.2)
    assert (state["state"], state["headline"].split(" (")[0]) == (
        "done",
        "praises opens with praise for the user's question or idea every time",
    )
    for name in (run["run"], run["link"], f"?run={run['run']}"):
        read = programs.predict(name, block="differences", words="opens praise", api_name="/read_diff")
        (finding,) = read["findings"]
        assert (finding["confirmed"], finding["direction"], finding["heldout"]["n"]) == (True, "b", 19)
    shown = programs.predict(run["run"], finding["number"], "for", api_name="/read_evidence")
    assert (shown["statement"], shown["counts"]["for"], len(shown["pairs"])) == (finding["statement"], 59, 5)
    assert shown["pairs"][0]["response_b"].startswith("Great question!")
    assert programs.predict(run["run"], api_name="/stop_diff")["state"] == "done"


def test_what_cannot_be_done_is_told_in_one_line(at: Served, tmp_path: Path) -> None:
    from gradio_client.exceptions import AppError

    programs = client(at)
    a, b = recordings.pair(tmp_path)
    pair = {"model_a": a, "model_b": b, "api_name": "/compare_models"}
    for asked, told in (
        ({"api_name": "/diff_state", "run": "../x"}, "There is no such run"),
        ({"api_name": "/stop_diff", "run": ""}, "There is no such run"),
        ({"api_name": "/read_diff", "diff": "nope"}, "There is no such result"),
        ({"api_name": "/read_diff", "diff": str(tmp_path)}, "expected the name of a dataset"),
        ({"api_name": "/read_diff", "diff": "?example=../planted"}, "There is no example"),
        ({"api_name": "/read_diff", "diff": "planted", "domain": "nope"}, "domain: there is no 'nope'"),
        ({"api_name": "/read_diff", "diff": "planted", "page": "x"}, "page: input should be a valid integer"),
        ({"api_name": "/read_evidence", "diff": "planted", "finding": 0}, "finding is 0: expected 1 to"),
        ({"api_name": "/read_evidence", "diff": "planted", "finding": 1, "group": "x"}, "group: input should be 'for'"),
        (pair | {"train": 100}, "250 prompts are more than a run may use here"),
        (pair | {"train": 0, "heldout": 20}, "train is 0: expected at least 1"),
        (pair | {"method": ["magic"], "train": 20, "heldout": 20}, "method magic is not known"),
        (pair | {"settings": {"nope": 1}}, "there is no 'nope'"),
        (pair | {"settings": {"train": 1}}, "train has a parameter of its own"),
        (pair | {"settings": {"seed": "x"}}, "seed is 'x': expected a whole number"),
    ):
        with pytest.raises(AppError) as refused:
            programs.predict(**asked)
        assert told in str(refused.value)
        assert "\n" not in str(refused.value)
    assert at.site.run_manager.busy == (0, 0)


def test_each_acts_with_its_own_token(at: Served, private: str) -> None:
    def seen(programs: Any) -> list[str]:
        return [each["dataset"] for each in programs.predict(api_name="/find_diffs")["diffs"]]

    assert seen(client(at)) == []
    assert seen(client(at, oauth_token=private)) == ["alice/own"]
    assert seen(client(at)) == []


def test_agents_get_the_same_as_tools(at: Served, private: str) -> None:
    pytest.importorskip("mcp", reason="needs the extra app")
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def asked(headers: dict[str, str]) -> tuple[Any, list[Any]]:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("find_diffs", {"words": "base"}),
            ("read_evidence", {"diff": "planted", "finding": 1}),
            ("diff_state", {"run": "nope"}),
            ("read_diff", {"diff": "planted"}),
        ]
        async with (
            streamablehttp_client(f"{at.url}gradio_api/mcp/", headers=headers) as (reads, writes, _),
            ClientSession(reads, writes) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            return tools, [await session.call_tool(name, arguments) for name, arguments in calls]

    tools, (found, evidence, refused, read) = asyncio.run(asked({"X-HF-Token": private}))
    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        assert tool.description
        assert all(each["description"] for each in tool.inputSchema["properties"].values())
    assert [each["dataset"] for each in json.loads(found.content[0].text)["diffs"]] == ["alice/own"]
    assert len(json.loads(evidence.content[0].text)["pairs"]) == 5
    told = "There is no such run: check the id, or start a new one with compare_models"
    assert (refused.isError, refused.content[0].text) == (True, told)
    told = json.loads(read.content[0].text)
    assert told == client(at).predict("planted", api_name="/read_diff")
    index = at.site.report_cache.open(at.site.key_of_example("planted")).index
    lines = [
        (each["number"], each["statement"], each["heldout"]["net_difference"], [m["number"] for m in each["members"]])
        for each in told["findings"]
    ]
    effects = [entry.lead.heldout.net_difference for entry in index.differences]
    nets = [{"value": each.value, "low": each.low, "high": each.high} for each in effects]
    statements = [line_statement(entry, index.names) for entry in index.differences]
    members = [[member.number for member in entry.members] for entry in index.differences]
    numbers = [entry.number for entry in index.differences]
    assert lines == list(zip(numbers, statements, nets, members, strict=True))
    nobodys = asyncio.run(asked({}))[1][0]
    assert json.loads(nobodys.content[0].text)["diffs"] == []
