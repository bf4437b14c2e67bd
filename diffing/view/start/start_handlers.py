"""What the start page's script asks while somebody fills in the form. Believes nothing it is sent."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from diffing.errors import SettingError
from diffing.estimate import SizeOf
from diffing.methods.base import plans_of
from diffing.methods.sae.presets import PRESETS
from diffing.model_ref import ModelPlace, is_recorded, read_ref
from diffing.outputs.html import visible
from diffing.types import SIDES, Side
from diffing.view.caching import kept
from diffing.view.page_query import Address
from diffing.view.preflight.places import Place, Where, places_of
from diffing.view.preflight.preview import Preview
from diffing.view.router import Answer, Lenient, Question, Router
from diffing.view.site import Site
from diffing.view.start import start_html
from diffing.view.start.form_parsing import Wanted, line_of, read_form, said
from diffing.view.start.upload_pieces import Piece
from diffing.view.start.waiting_line import Turns
from diffing.view.visitor import Visitor
from diffing.view.zero import gpu_seconds, obstacle, zero_gpu

_KEPT_SECONDS = 60.0
_AT_ONCE = 12
"""Questions that are answered at a time: with as many that wait they leave enough of Gradio's 40 threads to others."""
_UPLOADS_AT_ONCE = 4
"""Pieces of uploads, likewise."""
_WAIT_SECONDS = 5.0


class NameQuestion(Question):
    """A question about what stands in a field for a name."""

    name: str | None = None

    @property
    def line(self) -> str:
        """The name.

        Raises:
            SettingError: It is not one line of text.
        """
        return line_of({"model_a": self.name}, "model_a")


class ModelQuestion(NameQuestion):
    """A question about where a model can run."""

    side: Lenient[Side] = None
    where: Lenient[Where] = None


class FormQuestion(Question):
    """A question about the form as it is filled in; `read_form` reads it."""

    form: Any = None


class Answers:
    """Answers one page's questions. One for all visitors; threads may share it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._turns = Turns(_AT_ONCE, _WAIT_SECONDS)
        # a file may take long to read: nobody who asks anything else waits for it
        self._upload_turns = Turns(_UPLOADS_AT_ONCE, _WAIT_SECONDS)
        self._router: Router[Visitor] = Router(
            "the form",
            {
                "names": (NameQuestion, self._in_turn(self._names)),
                "model": (ModelQuestion, self._in_turn(self._model)),
                "base": (NameQuestion, self._in_turn(self._base)),
                "llm": (NameQuestion, self._in_turn(self._llm)),
                "reader": (NameQuestion, self._in_turn(self._reader)),
                "published": (FormQuestion, self._in_turn(self._published)),
                "estimate": (FormQuestion, self._in_turn(self._estimate)),
                "begin": (FormQuestion, self._in_turn(self._begin)),
                "upload": (Piece, self._in_turn(self._upload, self._upload_turns)),
            },
        )
        self._places_of = kept(_KEPT_SECONDS, places_of)

    def answer(self, asked: object, visitor: Visitor) -> Answer:
        """Answers one question.

        Args:
            asked: As the browser sent it: `about` (`names`, `model`, `base`, `llm`, `reader`, `published`, `estimate`,
                `begin`, `upload`) and what each needs: `name`, or the `form`.
            visitor: Who asks.

        Returns:
            What to show: `names`, `html`; or `problem`, where the question cannot be answered.
        """
        return self._router.answer(
            asked, lambda asked: visitor, said=lambda error: said(str(error), public=visitor.rules.public)
        )

    def _in_turn(
        self, handler: Callable[[Any, Visitor], Answer], turns: Turns | None = None
    ) -> Callable[[Any, Visitor], Answer]:
        def wait(asked: Any, visitor: Visitor) -> Answer:  # noqa: ANN401  any question
            with (turns or self._turns).turn():
                return handler(asked, visitor)

        return wait

    def _names(self, asked: NameQuestion, visitor: Visitor) -> Answer:
        """Models whose names hold what is typed."""
        found = self._site.suggester.models(asked.line, visitor)
        reason = visible(said(found.reason, public=visitor.rules.public))
        return {"names": [visible(name) for name in found.names], "reason": reason}

    def _model(self, asked: ModelQuestion, visitor: Visitor) -> Answer:
        """Where a model can run."""
        name, side = asked.line, asked.side or "a"
        if not name:
            return {"html": ""}
        places = () if read_ref(name).prefixed else self._places_of(name, visitor)
        free = [place.where for place in places if not place.obstacle]
        chosen = next((where for where in free if where == asked.where), free[0] if free else None)
        html = start_html.places(places, side=side, chosen=chosen, remark=_remark(name), page=self._page(visitor))
        return {"html": html}

    def _base(self, asked: NameQuestion, visitor: Visitor) -> Answer:
        """What the card of model A proposes for B; nothing where it names no one base."""
        name = asked.line
        base = self._site.suggester.base_of(name, visitor)
        if not name or read_ref(name).prefixed or base.base is None:
            return {}
        html = start_html.proposal(base.base, name, self._page(visitor))
        return {"base": visible(base.base), "model": visible(base.model), "html": html}

    def _llm(self, asked: NameQuestion, visitor: Visitor) -> Answer:
        """Whether an LLM can be asked."""
        ref = read_ref(asked.line)
        if not ref.name or (ref.prefixed and ref.place != ModelPlace.PROVIDERS):
            return {"html": ""}
        return {"html": start_html.place(self._places_of(ref.name, visitor)[1], self._page(visitor))}

    def _reader(self, asked: NameQuestion, visitor: Visitor) -> Answer:
        """Whether a reader can be run here."""
        name = asked.line
        if not name:
            return {"html": ""}
        return {"html": start_html.place(self._reader_place(name, visitor), self._page(visitor))}

    def _reader_place(self, name: str, visitor: Visitor) -> Place:
        reader = PRESETS[name].reader if name in PRESETS else name
        here = self._places_of(reader, visitor)[0]
        return replace(here, remark="")  # that it has no chat template matters to none who only reads

    def _published(self, asked: FormQuestion, visitor: Visitor) -> Answer:
        """Finished diffs of the two models."""
        config = read_form(asked.form).config
        if not (config.model_a and config.model_b):
            return {"html": ""}
        found = self._site.diffs.published(config.model_a, config.model_b, visitor)
        return {"html": start_html.published(found, self._page(visitor))}

    def _estimate(self, asked: FormQuestion, visitor: Visitor) -> Answer:
        """What the run takes, or what is in its way."""
        seconds = None
        try:
            wanted = read_form(asked.form)
        except SettingError as error:
            preview = Preview(problem=str(error))
        else:
            preview = self._preview(wanted, visitor)
            if preview.estimate and zero_gpu():
                seconds = gpu_seconds(wanted.config, preview.estimate, size_of=self._size_for(visitor))
        queue = start_html.Queue(*self._site.desk.busy, self._site.settings.workers)
        html = start_html.estimate(preview, self._page(visitor), queue=queue, gpu_seconds=seconds)
        told = preview.estimate
        first = start_html.headline(told) if told else said(preview.problem, public=visitor.rules.public)
        stages = start_html.stages(told, self._page(visitor)) if told else ""
        return {"html": html, "stages": stages, "ready": told is not None, "first": visible(first)}

    def _preview(self, wanted: Wanted, visitor: Visitor) -> Preview:
        """An obstacle comes before the estimate: of where the models are to run, of the reader, of a lent GPU."""
        config = wanted.config
        uploads = self._site.desk.uploads
        try:
            there = uploads.resolved(config)
        except SettingError as error:
            return Preview(problem=str(error))
        # strangers' files are read by runs alone, and their paths are nobody's business
        preview = self._site.previews.preview(config if visitor.rules.public else there, wanted.limits, visitor)
        if not (config.model_a and config.model_b):
            return preview
        for what, place in self._needed(wanted, visitor):
            if place.obstacle:
                return Preview(problem=f"{what}: {place.obstacle}", sign_in=place.sign_in)
        if preview.estimate and zero_gpu():
            problem = obstacle(config, preview.estimate, size_of=self._size_for(visitor))
            return Preview(problem=problem) if problem else preview
        return preview

    def _needed(self, wanted: Wanted, visitor: Visitor) -> Iterator[tuple[str, Place]]:
        """The places that a run needs, with what each is for."""
        config = wanted.config
        for side in SIDES:
            ref = read_ref(getattr(config, f"model_{side}"))
            if ref.provider or not (ref.runs_here or ref.place == ModelPlace.PROVIDERS) or ref.marked:
                continue  # a provider that was named, a server, or what was recorded
            here, providers = self._places_of(ref.name if ref.remote else str(ref), visitor)
            yield f"Model {side.upper()}", here if wanted.where[side] == "here" else providers
        for plan in plans_of(config):
            for what, name in plan.loads(config).items():
                yield what, self._reader_place(name, visitor)

    def _size_for(self, visitor: Visitor) -> SizeOf:
        return lambda spec: self._site.previews.size(spec, visitor)

    def _begin(self, asked: FormQuestion, visitor: Visitor) -> Answer:
        """Puts the run in line."""
        wanted = read_form(asked.form)
        preview = self._preview(wanted, visitor)
        if preview.problem:
            raise SettingError(preview.problem)
        owner = self._site.owners.of(visitor)
        run = self._site.desk.start(wanted.config, wanted.limits, owner=owner, token=visitor.token)
        return {"go": Address("run", run).query}

    def _upload(self, asked: Piece, visitor: Visitor) -> Answer:
        """Takes a piece of a file of responses; with the last one, tells what is in it."""
        piece, uploads = asked, self._site.desk.uploads
        key = piece.key or uploads.begin(self._site.owners.of(visitor))
        uploads.add(key, piece.number, piece.name, piece.at, piece.data)
        if not piece.last:
            return {"key": key}
        found = uploads.finish(key, piece.columns)
        count = f"{found.responses:,} response{'' if found.responses == 1 else 's'}"
        named = "" if is_recorded(found.model) else f" of {found.model}"
        return {"model": found.spec, "told": visible(f"{found.name}: {count}{named}, read as {found.shape}.")}

    def _page(self, visitor: Visitor) -> start_html.Page:
        return start_html.page_of(self._site.settings, visitor)


def _remark(name: str) -> str:
    """What to know of a model string that says by itself where the model is."""
    ref = read_ref(name)
    kinds: dict[str, str] = {
        ModelPlace.PROVIDERS: "Answered by Inference Providers.",
        ModelPlace.OPENAI: "Answered by a server of yours.",
        ModelPlace.RECORDED: "Its recorded responses are read; nothing is run.",
    }
    return "Runs on this machine." if ref.marked else kinds.get(ref.place, "")
