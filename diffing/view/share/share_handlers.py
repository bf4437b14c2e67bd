"""Answers the actions above a result: panels, download files, publishing, and changes of model cards.

All input is untrusted.
"""

from diffing.errors import DiffingError, SettingError
from diffing.outputs.card import Mode, repositories_of, update_card
from diffing.outputs.dataset import push_report
from diffing.outputs.downloads import FORMATS
from diffing.types import Report
from diffing.view.card_editing import edit_in_sandbox
from diffing.view.result.report_cache import OpenedReport
from diffing.view.router import PageQuestion, Reply, Router, Text, Ticked
from diffing.view.share import share_html
from diffing.view.share.hub_refusals import Act, explain
from diffing.view.share.served_downloads import ServedDownloads
from diffing.view.site import Site
from diffing.view.visitor import Visitor

_SHIPPED = "Examples that ship with the app are not published"


class ShareHandlers:
    """Answers the questions of all visitors. It is thread-safe."""

    def __init__(self, site: Site, downloads: ServedDownloads) -> None:
        self._site = site
        self._downloads = downloads
        answers = {
            "share": self._share,
            "download": self._download,
            "file": self._file,
            "push": self._push,
            "publish": self._publish,
            "card": self._card,
            "preview": self._preview,
            "write": self._write,
        }
        self._router = Router("a result", {about: (_ShareQuestion, each) for about, each in answers.items()})

    def opened(self, key: str) -> OpenedReport | None:
        """The result of a key; None if there is none."""
        try:
            return self._site.report_cache.open(key) if key else None
        except DiffingError:
            return None

    def answer(self, raw: object, visitor: Visitor) -> Reply:
        """Answers one question.

        Args:
            raw: The question as the browser sent it: `key`, `query` and `dataset` of the result, `about`, and the
                fields that this kind of question needs.
            visitor: The visitor who asks.

        Returns:
            `panel` or `result`: HTML for the panel, or for the place in it for results. `file` and `name`: the file to
            download. `problem`: an error message of one line. `dataset`: the dataset as which the result is now
            published.
        """
        return self._router.answer(
            raw,
            lambda raw: _ShareContext(self._router.read(_ShareQuestion, raw), visitor, self._site),
            to_text=lambda error: explain(error, visitor, self._act(raw)),
        )

    def _act(self, raw: object) -> Act:
        return self._router.read(_ShareQuestion, raw).act if isinstance(raw, dict) else "read"

    def _share(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        public = context.visitor.public
        return {"panel": share_html.share(context.place, context.report, context.dataset, public=public)}

    def _download(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        return {"panel": share_html.download(context.report)}

    def _file(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        form = FORMATS.get(question.format)
        if form is None:
            raise SettingError(f"There is no such format: expected one of {', '.join(FORMATS)}")
        file = self._downloads.file(self._site.folder_of(context.key), context.report, form)
        return {"file": str(file), "name": file.name}

    def _push(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        if context.place.what == "example":
            return {"panel": share_html.no_push(_SHIPPED)}
        if context.visitor.login is None:
            return {"panel": share_html.sign_in("Put on the Hub", context.visitor, context.place)}
        return {"panel": share_html.push(context.report, context.visitor.api, context.dataset)}

    def _publish(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        if context.place.what == "example":
            raise SettingError(_SHIPPED)
        context.check_signed_in()
        pushed = push_report(
            context.report, question.name.strip(), api=context.visitor.api, private=question.private or None,
            overwrite=question.replace,
        )  # fmt: skip
        return {"panel": share_html.pushed(pushed), "dataset": pushed.repo_id}

    def _card(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        return {"panel": share_html.card(context.report, repositories_of(context.report), context.dataset)}

    def _preview(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        model, dataset = question.model, context.dataset if question.link else None
        outcome = update_card(context.report, model, api=context.visitor.api, dataset=dataset, editing=edit_in_sandbox)
        return {"result": share_html.preview(context.proposal(model, dataset), outcome)}

    def _write(self, question: "_ShareQuestion", context: "_ShareContext") -> Reply:
        context.check_signed_in()
        model, dataset = question.model, context.dataset if question.link else None
        mode: Mode = "pr" if question.act == "pr" else "commit"
        outcome = update_card(
            context.report, model, api=context.visitor.api, dataset=dataset, mode=mode, agreed=question.agreed,
            editing=edit_in_sandbox,
        )  # fmt: skip
        if outcome.happened == "shown":
            return {"result": share_html.preview(context.proposal(model, dataset), outcome, moved=True)}
        return {"result": share_html.written(outcome)}


class _ShareQuestion(PageQuestion):
    about: Text = ""
    key: Text = ""
    """The key of the result."""
    diff: Text = ""
    """The dataset from which the result was opened."""
    dataset: Text = ""
    """The dataset as which it is published."""
    format: Text = ""
    name: Text = ""
    """The name of the new dataset."""
    private: Ticked = False
    replace: Ticked = False
    model: Text = ""
    """The repository of the card to change."""
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


class _ShareContext:
    """The visitor, and the result that a question is about."""

    def __init__(self, question: _ShareQuestion, visitor: Visitor, site: Site) -> None:
        self.visitor = visitor
        """The visitor who asks."""
        self.key = question.key
        """The key of the result."""
        self.report: Report = site.report_cache.open(self.key).report
        """The result."""
        self.place = site.place_of(self.key, question.diff)
        """The address of the result."""
        self.dataset = question.dataset.partition("@")[0] or None
        """The dataset as which it is published."""

    def proposal(self, model: str, dataset: str | None) -> share_html.CardProposal:
        """The planned change of a card."""
        return share_html.CardProposal(self.report, model, dataset, self.visitor, self.place)

    def check_signed_in(self) -> None:
        """Makes sure that the visitor is signed in.

        Raises:
            SettingError: The visitor is not signed in.
        """
        if self.visitor.login is None:
            raise SettingError("You are not signed in any more: sign in, and press the button again")
