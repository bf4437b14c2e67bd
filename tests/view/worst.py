"""What a visitor can put before the page to keep it busy: cards, reports and requests at their worst."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2

from diffing.report import save_report
from diffing.types import Evidence, Finding, ModelInfo, Report, Response
from tests.hub import LocalHub
from tests.outputs.samples import medium_report

MODEL, OTHER = "evil/model", "evil/base"
CARDS = {
    "begins": "<!-- model-diff:begin\n",
    "lists": "- a\n",
    "paragraphs": "a <!-- model-diff:begin --> b\n\n",
    "quotations": "> <b> `\n",
}
"""What a card is made of, over and over."""
DEEP = "[" * 200_000


def many_findings(report: Report, times: int) -> Report:
    """Each finding many times, with its evidence."""
    findings = tuple(
        replace(each, hypothesis=replace(each.hypothesis, id=f"{each.hypothesis.id}-{number}"))
        for number in range(times)
        for each in report.findings
    )
    return replace(report, findings=(*report.findings, *findings), merged=())


def long_texts(report: Report, length: int, prompts: int) -> Report:
    """Responses that are long and hard to read."""

    def long(response: Response) -> Response:
        return replace(response, text=("<MODEL> `a_b*c [x](y) \\( @ www. " * (length // 32 + 1))[:length])

    pairs = tuple(replace(pair, a=long(pair.a), b=long(pair.b)) for pair in report.pairs[:prompts])
    return replace(report, pairs=(*pairs, *report.pairs[prompts:]))


def much_evidence(report: Report, quotes: int) -> Report:
    """One finding that rests on very many quotations."""
    first, *rest = report.findings
    prompt = report.pairs[0].prompt.id
    evidence = tuple(Evidence(prompt, "a", "a" * 20) for _ in range(quotes))
    worse: Finding = replace(first, hypothesis=replace(first.hypothesis, evidence=evidence))
    return replace(report, findings=(worse, *rest))


REPORTS: dict[str, Callable[[Report], Report]] = {
    "large": lambda report: report,
    "findings": lambda report: many_findings(report, 200),
    "texts": lambda report: long_texts(report, 190_000, 300),
    "evidence": lambda report: much_evidence(report, 100_000),
}


def publish(hub: LocalHub, folder: Path, wanted: Callable[[str], bool]) -> None:
    """Puts what is wanted of it on a Hub, as strangers' repositories."""
    for name, unit in CARDS.items():
        if wanted(f"card {name}"):
            (folder / name).mkdir(parents=True)
            (folder / name / "README.md").write_text(unit * (990_000 // len(unit)))
            hub.push_folder(f"{MODEL}-{name}", folder / name)
            put(hub, folder, f"of-{name}", medium_report(train=30, heldout=30), name)
    for name, worsened in REPORTS.items():
        if wanted(name):
            put(hub, folder, name, worsened(medium_report(train=1200, heldout=800)), name)


def put(hub: LocalHub, folder: Path, dataset: str, report: Report, name: str) -> None:
    """Publishes a report as one about a hostile model."""
    models = (ModelInfo(f"{OTHER}@{'a' * 40}", "model_a"), ModelInfo(f"{MODEL}-{name}@{'b' * 40}", "model_b"))
    place = folder / f"dataset-{dataset}"
    save_report(replace(report, model_a=models[0], model_b=models[1]), place / "report")
    hub.push_folder(f"evil/{dataset}", place, "dataset")


@dataclass(frozen=True)
class Attack:
    """One request, and what it is."""

    name: str
    """In a word."""
    send: Callable[[], Any]
    """Sends it and waits for its answer."""


class Attacker:
    """Anonymous; speaks Gradio's HTTP."""

    def __init__(self, url: str) -> None:
        self.client = httpx2.Client(base_url=url, timeout=600.0, headers={"connection": "close"})
        self.config: dict[str, Any] = self.client.get("config").json()
        self.session = "attacker"
        self._keys: dict[str, str] = {}

    def ask(self, function: str, marker: str, **data: object) -> Any:
        """A question to one of the page's boxes."""
        boxes = [each for each in self.config["components"] if function in each["props"].get("server_fns", ())]
        box = next(each["id"] for each in boxes if marker in json.dumps(each["props"]))
        body = {"data": data, "component_id": box, "fn_name": function, "session_hash": self.session}
        return self.client.post("gradio_api/component_server/", json=body)

    def load(self, query: str) -> str:
        """The page filled by a link."""
        loads = [each for each in self.config["dependencies"] if "load" in (target[1] for target in each["targets"])]
        load = max(loads, key=lambda each: len(each["outputs"]))["id"]
        return self.event(load, [], query)

    def event(self, number: int, data: list[object], query: str = "") -> str:
        """An event and all that comes of it."""
        body = {"data": data, "fn_index": number, "session_hash": self.session, "trigger_id": None}
        self.client.post("gradio_api/queue/join", params=query, json=body)
        return self.client.get("gradio_api/queue/data", params={"session_hash": self.session}).text

    def key(self, name: str) -> str:
        """Of a result that this visitor has opened."""
        if name not in self._keys:
            told = self.load(f"diff=evil/{name}")
            found = re.search(r'data-key=\\*"(diff [\w-]+)', told)
            self._keys[name] = found[1] if found else "none"
        return self._keys[name]

    def share(self, name: str, **asked: object) -> str:
        """An action above a result."""
        return self.ask("ask", "share-panel", key=self.key(name), diff=f"evil/{name}", **asked).text

    def result(self, name: str, **asked: object) -> str:
        """A question about a result."""
        return self.ask("ask", "details.asked", key=self.key(name), **asked).text

    def tab(self, name: str, tab: str) -> str:
        """A tab of a result, opened for the first time."""
        (box,) = [each["id"] for each in self.config["components"] if each["props"].get("id") == tab]
        (event,) = [each for each in self.config["dependencies"] if [box, "select"] in each["targets"]]
        state = [each["id"] for each in self.config["components"] if each["type"] == "state"]
        return self.event(event["id"], [None if each in state else False for each in event["inputs"]])

    def raw(self, name: str, *wanted: str) -> str:
        """A search in a table of a result, which is sorted."""
        (event, *_) = [each for each in self.config["dependencies"] if len(each["inputs"]) == 6]
        columns = next(
            each for each in self.config["dependencies"] if len(each["inputs"]) == 2 and len(each["outputs"]) == 2
        )
        return self.event(columns["id"], [None, wanted[0]]) + self.event(event["id"], [None, *wanted, True, 1])


def attacks(attacker: Attacker) -> Iterator[Attack]:
    """What an anonymous visitor can do."""

    def start(**asked: object) -> str:
        return attacker.ask("ask", "start-box", **asked).text

    form = {
        "model_a": "a/" + "b" * 90,
        "model_b": "c+" * 100 + "d/e",
        "domain": ["x" * 300] * 100,
        "train": 100000,
        "heldout": "9" * 1000,
        "system_prompt_a": "\U0001f600" * 8000,
        "suspect": "@" * 300,
    }
    for about in ("names", "model", "base", "llm", "reader", "published", "estimate", "begin"):
        yield Attack(f"start {about}", lambda about=about: start(about=about, name="a+" * 140 + "/", form=form))
    yield Attack("long query", lambda: attacker.load("a=" + "b/" * 900 + "&b=" + "%00" * 9000))
    yield Attack(
        "deep JSON",
        lambda: str(
            attacker.client.post(
                "gradio_api/queue/join", content=DEEP.encode(), headers={"content-type": "application/json"}
            ).status_code
        ),
    )
    yield Attack(
        "wide JSON",
        lambda: str(
            attacker.client.post(
                "gradio_api/run/find_diffs",
                content=('{"data": [' + "{}," * 300_000 + "1]}").encode(),
                headers={"content-type": "application/json"},
            ).status_code
        ),
    )
    yield Attack(
        "api find", lambda: attacker.client.post("gradio_api/run/find_diffs", json={"data": ["a " * 400_000, 1]}).text
    )
    yield Attack(
        "api settings",
        lambda: (
            attacker.client.post(
                "gradio_api/run/estimate_diff", json={"data": ["a/b", "c/d", *[None] * 13, {"x" * 500_000: 1}]}
            ).text
        ),
    )
    yield Attack("api info", lambda: attacker.client.get("gradio_api/info").text)
    yield Attack("api docs", lambda: attacker.client.get("gradio_api/openapi.json").text)
    yield Attack(
        "mcp",
        lambda: str(
            attacker.client.post(
                "gradio_api/mcp/",
                content=DEEP.encode(),
                headers={"content-type": "application/json", "accept": "application/json, text/event-stream"},
            ).status_code
        ),
    )
    yield Attack(
        "upload",
        lambda: str(attacker.client.post("gradio_api/upload", files={"files": ("x", b"x" * 900_000)}).status_code),
    )
    yield Attack(
        "form parts",
        lambda: str(
            attacker.client.post(
                "gradio_api/upload",
                content=b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 20000,
                headers={"content-type": "multipart/form-data; boundary=x"},
            ).status_code
        ),
    )
    yield Attack("file", lambda: str(attacker.client.get("gradio_api/file=" + "a/" * 20000).status_code))
    yield Attack("gallery", lambda: attacker.ask("ask", "gallery=${encode", words="a " * 100, page=10**8).text)
    for name in REPORTS:
        yield from of_report(attacker, name)
    for name in CARDS:
        yield Attack(f"card {name}: opened", lambda name=name: attacker.load(f"diff=evil/of-{name}")[-300:])
        yield Attack(
            f"card {name}: previewed",
            lambda name=name: attacker.share(f"of-{name}", about="preview", model=f"{MODEL}-{name}"),
        )


def of_report(attacker: Attacker, name: str) -> Iterator[Attack]:
    """Everything that is shown of a hostile report."""
    yield Attack(f"{name}: opened", lambda: attacker.load(f"diff=evil/{name}")[:100])
    for sort in ("", "net"):
        yield Attack(
            f"{name}: findings {sort}",
            lambda sort=sort: attacker.result(name, about="findings", words="q w e", sort=sort),
        )
    yield Attack(f"{name}: findings of a kind of prompt", lambda: attacker.result(name, about="findings", where=0))
    yield Attack(f"{name}: evidence", lambda: attacker.result(name, about="evidence", number=1, words="a"))
    yield Attack(f"{name}: a text", lambda: attacker.result(name, about="text", place=0, of="a", at=0, end=10**8))
    for format in ("zip", "html", "png", "md", "csv", "parquet"):
        yield Attack(f"{name}: as {format}", lambda format=format: attacker.share(name, about="file", format=format))
    for about in ("share", "download", "card", "preview"):
        yield Attack(f"{name}: {about}", lambda about=about: attacker.share(name, about=about, model=f"{MODEL}-{name}"))
    for tab in ("features", "methods", "how", "raw"):
        yield Attack(f"{name}: tab {tab}", lambda tab=tab: attacker.tab(name, tab)[:100])
    yield Attack(f"{name}: raw search", lambda: attacker.raw(name, "judgements", "q w e", "reply")[:100])
    yield Attack(f"{name}: raw sort", lambda: attacker.raw(name, "pairs", "", "prompt")[:100])
    yield Attack(
        f"{name}: api",
        lambda: attacker.client.post(
            "gradio_api/run/read_diff", json={"data": [f"evil/{name}", "q", False, None, 1]}
        ).text[:100],
    )
    yield Attack(
        f"{name}: api evidence",
        lambda: attacker.client.post(
            "gradio_api/run/read_evidence", json={"data": [f"evil/{name}", 1, None, "q", 1]}
        ).text[:100],
    )
