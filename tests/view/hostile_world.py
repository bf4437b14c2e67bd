"""What a visitor can put before the page to keep it busy: cards, reports and requests at their worst."""

import json
from collections.abc import Callable
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


def report_of(name: str) -> Report:
    """A large report about a hostile model; its name tells the others apart."""
    some = medium_report(train=1200, heldout=800)
    models = (ModelInfo(f"{OTHER}@{'a' * 40}", "model_a"), ModelInfo(f"{MODEL}-{name}@{'b' * 40}", "model_b"))
    return replace(some, model_a=models[0], model_b=models[1])


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


def publish(hub: LocalHub, folder: Path) -> None:
    """Puts all of it on a Hub, as strangers' repositories."""
    for name, unit in CARDS.items():
        place = folder / "cards" / name
        place.mkdir(parents=True)
        (place / "README.md").write_text(unit * (990_000 // len(unit)))
        hub.push_folder(f"{MODEL}-{name}", place)
        save_report(
            report_of(name) if name == "begins" else replace(report_of(name), pairs=report_of(name).pairs),
            folder / f"of-{name}" / "report",
        )
        hub.push_folder(f"evil/of-{name}", folder / f"of-{name}", "dataset")
    for name, worsened in REPORTS.items():
        save_report(worsened(report_of(name)), folder / name / "report")
        hub.push_folder(f"evil/{name}", folder / name, "dataset")


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
        self.client = httpx2.Client(base_url=url, timeout=600.0)
        self.config: dict[str, Any] = self.client.get("config").json()
        self.session = "attacker"

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
