"""What the actions above a result are answered with. Believes nothing that it is sent."""

from diffing.errors import DiffingError, SettingError
from diffing.outputs.card import Mode, repositories_of, update_card
from diffing.outputs.dataset import push_report
from diffing.outputs.downloads import FORMATS
from diffing.types import Report
from diffing.view.card_editing import edit_politely
from diffing.view.result.report_cache import Opened
from diffing.view.router import Answer, Question, Router, Text, Ticked
from diffing.view.share import share_html
from diffing.view.share.hub_refusals import Act, said
from diffing.view.share.served_downloads import Downloads
from diffing.view.site import Site
from diffing.view.visitor import Visitor

_SHIPPED = "This is an example that ships with the app: it is no news to anybody, so it is not published"


class Sharing:
    """Answers for all visitors; threads may share it."""

    def __init__(self, site: Site, downloads: Downloads) -> None:
        self._site = site
        self._downloads = downloads
        answers = {
            "link": self._link,
            "download": self._download,
            "file": self._file,
            "push": self._push,
            "publish": self._publish,
            "card": self._card,
            "preview": self._preview,
            "write": self._write,
        }
        self._router = Router("a result", {about: (_ShareQuestion, each) for about, each in answers.items()})

    def opened(self, key: str) -> Opened | None:
        """The result of a key; None where there is none."""
        try:
            return self._site.shelf.open(key) if key else None
        except DiffingError:
            return None

    def answer(self, asked: object, visitor: Visitor) -> Answer:
        """Answers one question.

        Args:
            asked: As the browser sent it: `key`, `query` and `dataset` of the result, `about`, and what that needs.
            visitor: Who asks.

        Returns:
            `panel` or `result`: HTML for the panel, or for the place in it where results go. `file` and `name`: what
            to download. `problem`: one line. `dataset`: where the result is published now.
        """
        return self._router.answer(
            asked,
            lambda asked: _Asked(self._router.read(_ShareQuestion, asked), visitor, self._site),
            said=lambda error: said(error, visitor, self._act(asked)),
        )

    def _act(self, asked: object) -> Act:
        return self._router.read(_ShareQuestion, asked).act if isinstance(asked, dict) else "read"

    def _link(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        return {"panel": share_html.link(asked.place, asked.report, asked.dataset, public=asked.visitor.public)}

    def _download(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        return {"panel": share_html.download(asked.report)}

    def _file(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        form = FORMATS.get(question.format)
        if form is None:
            raise SettingError(f"There is no such format: expected one of {', '.join(FORMATS)}")
        file = self._downloads.file(self._site.folder_of(asked.key), asked.report, form)
        return {"file": str(file), "name": file.name}

    def _push(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        if asked.place.what == "example":
            return {"panel": share_html.no_push(_SHIPPED)}
        if asked.visitor.login is None:
            return {"panel": share_html.sign_in("Put on the Hub", asked.visitor, asked.place)}
        return {"panel": share_html.push(asked.report, asked.visitor.api, asked.dataset)}

    def _publish(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        if asked.place.what == "example":
            raise SettingError(_SHIPPED)
        asked.check_signed_in()
        pushed = push_report(
            asked.report, question.name.strip(), api=asked.visitor.api, private=question.private or None,
            overwrite=question.replace,
        )  # fmt: skip
        return {"panel": share_html.pushed(pushed), "dataset": pushed.repo_id}

    def _card(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        return {"panel": share_html.card(asked.report, repositories_of(asked.report), asked.dataset)}

    def _preview(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        model, dataset = question.model, asked.dataset if question.link else None
        outcome = update_card(asked.report, model, api=asked.visitor.api, dataset=dataset, editing=edit_politely)
        return {"result": share_html.preview(asked.proposal(model, dataset), outcome)}

    def _write(self, question: "_ShareQuestion", asked: "_Asked") -> Answer:
        asked.check_signed_in()
        model, dataset = question.model, asked.dataset if question.link else None
        mode: Mode = "pr" if question.act == "pr" else "commit"
        outcome = update_card(
            asked.report, model, api=asked.visitor.api, dataset=dataset, mode=mode, agreed=question.agreed,
            editing=edit_politely,
        )  # fmt: skip
        if outcome.happened == "shown":
            return {"result": share_html.preview(asked.proposal(model, dataset), outcome, moved=True)}
        return {"result": share_html.written(outcome)}


class _ShareQuestion(Question):
    about: Text = ""
    key: Text = ""
    """Of the result."""
    diff: Text = ""
    """The dataset that the result was opened from."""
    dataset: Text = ""
    """Where it is published."""
    format: Text = ""
    name: Text = ""
    """Of the dataset to be made."""
    private: Ticked = False
    replace: Ticked = False
    model: Text = ""
    """Whose card is meant."""
    link: Ticked = False
    """Whether the section links to the dataset."""
    mode: Text = ""
    agreed: Text = ""

    @property
    def act(self) -> Act:
        """What the Hub is asked for."""
        match self.about, self.mode:
            case "publish", _:
                return "publish"
            case "write", "pr":
                return "pr"
            case "write", _:
                return "commit"
        return "read"


class _Asked:
    """Who asks, and about which result."""

    def __init__(self, question: _ShareQuestion, visitor: Visitor, site: Site) -> None:
        self.visitor = visitor
        """Who asks."""
        self.key = question.key
        """Of the result."""
        self.report: Report = site.shelf.open(self.key).report
        """The result."""
        self.place = site.place_of(self.key, question.diff)
        """Its address."""
        self.dataset = question.dataset.partition("@")[0] or None
        """Where it is published."""

    def proposal(self, model: str, dataset: str | None) -> share_html.Proposal:
        """What a card is about to get."""
        return share_html.Proposal(self.report, model, dataset, self.visitor, self.place)

    def check_signed_in(self) -> None:
        """Makes sure that somebody acts.

        Raises:
            SettingError: Nobody does.
        """
        if self.visitor.login is None:
            raise SettingError("Nobody is signed in any more: sign in, and press the button again")
