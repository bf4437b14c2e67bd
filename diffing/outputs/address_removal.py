"""Removes the addresses of model servers from a report before it is shared."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from diffing.model_ref import ModelRef, read_ref, without_addresses
from diffing.report.asked_tables import judges_of
from diffing.report.index import index_of
from diffing.types import Finding, ModelInfo, Report, Response, Scalar

V = TypeVar("V")


def public_report(report: Report) -> Report:
    """Returns the report without the addresses of servers: `openai:name@host/v1` becomes `openai:name`.

    Args:
        report: The report as the run made it.

    Returns:
        The report itself if no such server took part.
    """
    ids = {*(info.id for info in models_in(report)), *(each.model for each in report.usage)}
    refs = {each: read_ref(each) for each in ids}
    servers = {each: ref for each, ref in refs.items() if ref.address is not None}
    if not servers and "base_url" not in report.settings:
        return report
    return _AddressRemover(servers).report(report)


class _AddressRemover:
    """Replaces server addresses throughout a report, but not within prompts and responses."""

    def __init__(self, servers: Mapping[str, ModelRef]) -> None:
        self._ids = {each: str(ref.published) for each, ref in servers.items()}
        addresses = dict.fromkeys((str(ref.address) for ref in servers.values()), "(address)")
        secrets = {**addresses, **self._ids}
        longest_first = "|".join(map(re.escape, sorted(secrets, key=lambda each: (-len(each), each))))
        self._secrets = secrets
        self._written = re.compile(rf"(?:https?://)?(?<![\w.])({longest_first})(?!\w)") if secrets else None

    def report(self, report: Report) -> Report:
        return replace(
            report,
            model_a=self._model(report.model_a),
            model_b=self._model(report.model_b),
            others=tuple(map(self._model, report.others)),
            pairs=tuple(replace(pair, a=self._response(pair.a), b=self._response(pair.b)) for pair in report.pairs),
            findings=tuple(map(self._finding, report.findings)),
            judgements=index_of(report).judgements.with_judges(self._id),
            tables={
                name: tuple({key: self._text(value) for key, value in row.items()} for row in rows)
                for name, rows in report.tables.items()
            },
            left_out={
                stage: {self._text(reason): n for reason, n in reasons.items()}
                for stage, reasons in report.left_out.items()
            },
            notes=tuple(map(self._text, report.notes)),
            usage=tuple(replace(each, model=self._id(each.model)) for each in report.usage),
            settings=self._settings(report.settings),
        )

    def _id(self, model_id: str) -> str:
        return self._ids.get(model_id, model_id)

    def _text(self, value: V) -> V:
        if isinstance(value, str) and self._written:
            return self._written.sub(lambda found: self._secrets[found[1]], value)  # type: ignore[return-value]
        return value

    def _settings(self, settings: Mapping[str, Scalar]) -> dict[str, Scalar]:
        cut = {key: without_addresses(v) if isinstance(v, str) else v for key, v in settings.items()}
        return {key: self._text(value) for key, value in cut.items() if key != "base_url"}

    def _model(self, info: ModelInfo) -> ModelInfo:
        return replace(info, id=self._id(info.id), settings=self._settings(info.settings))

    def _response(self, response: Response) -> Response:
        return replace(response, model=self._id(response.model))

    def _finding(self, finding: Finding) -> Finding:
        if finding.rating is None:
            return finding
        replies = tuple((self._id(rater), one, two) for rater, one, two in finding.rating.replies)
        return replace(finding, rating=replace(finding.rating, replies=replies))


def models_in(report: Report) -> tuple[ModelInfo, ...]:
    """Returns both compared models and all helper models, such as judges, also those of users' questions."""
    asked = (ModelInfo(judge, "judge") for judge in judges_of(report))
    return report.model_a, report.model_b, *report.others, *asked
