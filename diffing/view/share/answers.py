"""What the actions above a result are answered with. Believes nothing that it is sent."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from diffing.errors import DiffingError, SettingError
from diffing.outputs.card import Mode, repositories_of, update_card
from diffing.outputs.dataset import push_report
from diffing.outputs.formats import FORMATS
from diffing.outputs.html import visible
from diffing.types import Report
from diffing.view.editing import edit_politely
from diffing.view.result.shelf import Opened
from diffing.view.share import panels
from diffing.view.share.acting import Act, Actor
from diffing.view.share.downloads import Downloads
from diffing.view.site import Site

Answer: TypeAlias = dict[str, str]
"""`panel` or `result`: HTML for the panel, or for the place in it where results go. `file` and `name`: what to
download. `problem`: one line. `dataset`: where the result is published now."""
_LONGEST = 400
"""Characters of what a browser sends in one field."""
_SHIPPED = "This is an example that ships with the app: it is no news to anybody, so it is not published"


class Sharing:
    """Answers for all visitors; threads may share it."""

    def __init__(self, site: Site, downloads: Downloads) -> None:
        self._site = site
        self._downloads = downloads
        self._answers: Mapping[str, Callable[[_Asked], Answer]] = {
            "link": self._link,
            "download": self._download,
            "file": self._file,
            "push": self._push,
            "publish": self._publish,
            "card": self._card,
            "preview": self._preview,
            "write": self._write,
        }

    def opened(self, key: str) -> Opened | None:
        """The result of a key; None where there is none."""
        try:
            return self._site.shelf.open(key) if key else None
        except DiffingError:
            return None

    def answer(self, asked: object, actor: Actor) -> Answer:
        """Answers one question.

        Args:
            asked: As the browser sent it: `key`, `query` and `dataset` of the result, `about`, and what that needs.
            actor: Who asks.
        """
        act: Act = "read"
        try:
            if not isinstance(asked, dict):
                raise SettingError("Expected a question about a result, got something else: reload the page")
            question = _Asked(asked, actor, self._site)
            act = question.act
            answer = self._answers.get(question.text("about"))
            if answer is None:
                raise SettingError("Expected one of the actions above the result: reload the page")
            return answer(question)
        except DiffingError as error:
            return {"problem": visible(actor.said(error, act))}

    def _link(self, asked: "_Asked") -> Answer:
        return {"panel": panels.link(asked.place, asked.report, asked.dataset, public=asked.actor.public)}

    def _download(self, asked: "_Asked") -> Answer:
        return {"panel": panels.download(asked.report)}

    def _file(self, asked: "_Asked") -> Answer:
        form = FORMATS.get(asked.text("format"))
        if form is None:
            raise SettingError(f"There is no such format: expected one of {', '.join(FORMATS)}")
        file = self._downloads.file(self._site.folder_of(asked.key), asked.report, form)
        return {"file": str(file), "name": file.name}

    def _push(self, asked: "_Asked") -> Answer:
        if asked.place.what == "example":
            return {"panel": panels.no_push(_SHIPPED)}
        if asked.actor.token is None:
            return {"panel": panels.sign_in("Put on the Hub", asked.actor, asked.place)}
        return {"panel": panels.push(asked.report, asked.actor.api, asked.dataset)}

    def _publish(self, asked: "_Asked") -> Answer:
        if asked.place.what == "example":
            raise SettingError(_SHIPPED)
        asked.check_signed_in()
        pushed = push_report(
            asked.report, asked.text("name").strip(), api=asked.actor.api, private=asked.on("private") or None,
            overwrite=asked.on("replace"),
        )  # fmt: skip
        return {"panel": panels.pushed(pushed), "dataset": pushed.repo_id}

    def _card(self, asked: "_Asked") -> Answer:
        return {"panel": panels.card(asked.report, repositories_of(asked.report), asked.dataset)}

    def _preview(self, asked: "_Asked") -> Answer:
        model, dataset = asked.text("model"), asked.dataset if asked.on("link") else None
        outcome = update_card(asked.report, model, api=asked.actor.api, dataset=dataset, editing=edit_politely)
        return {"result": panels.preview(asked.proposal(model, dataset), outcome)}

    def _write(self, asked: "_Asked") -> Answer:
        asked.check_signed_in()
        model, dataset = asked.text("model"), asked.dataset if asked.on("link") else None
        mode: Mode = "pr" if asked.act == "pr" else "commit"
        outcome = update_card(
            asked.report, model, api=asked.actor.api, dataset=dataset, mode=mode, agreed=asked.text("agreed"),
            editing=edit_politely,
        )  # fmt: skip
        if outcome.happened == "shown":
            return {"result": panels.preview(asked.proposal(model, dataset), outcome, moved=True)}
        return {"result": panels.written(outcome)}


class _Asked:
    """One question, read with care."""

    def __init__(self, asked: Mapping[Any, object], actor: Actor, site: Site) -> None:
        self._asked = asked
        self.actor = actor
        """Who asks."""
        self.key = self.text("key")
        """Of the result."""
        self.report: Report = site.shelf.open(self.key).report
        """The result."""
        self.place = site.place_of(self.key, self.text("diff"))
        """Its address."""
        self.dataset = self.text("dataset").partition("@")[0] or None
        """Where it is published."""

    @property
    def act(self) -> Act:
        """What the Hub is asked for."""
        match self.text("about"), self.text("mode"):
            case "publish", _:
                return "publish"
            case "write", "pr":
                return "pr"
            case "write", _:
                return "commit"
        return "read"

    def text(self, name: str) -> str:
        """A field; empty where it is none."""
        value = self._asked.get(name)
        return value[:_LONGEST] if isinstance(value, str) else ""

    def on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.text(name) == "on"

    def proposal(self, model: str, dataset: str | None) -> panels.Proposal:
        """What a card is about to get."""
        return panels.Proposal(self.report, model, dataset, self.actor, self.place)

    def check_signed_in(self) -> None:
        """Makes sure that somebody acts.

        Raises:
            SettingError: Nobody does.
        """
        if self.actor.token is None:
            raise SettingError("Nobody is signed in any more: sign in, and press the button again")
