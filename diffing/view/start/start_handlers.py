"""Answers the start page's script while a visitor fills in the form: suggestions, estimates, uploads, and the start.

All input is untrusted.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from diffing.checks import answer_the_same
from diffing.errors import SettingError
from diffing.estimate import SizeOf
from diffing.methods.plan import plans_of
from diffing.methods.sae.presets import PRESETS
from diffing.model_ref import ModelPlace, is_recorded, read_hub_link, read_ref
from diffing.outputs.html import visible
from diffing.types import SIDES, Side
from diffing.view.caching import cached_per_visitor
from diffing.view.page_query import PageAddress
from diffing.view.preflight.run_options import Runner, RunOption, find_run_options
from diffing.view.preflight.run_preview import RunPreview
from diffing.view.router import Lenient, PageQuestion, Reply, Router
from diffing.view.site import Site
from diffing.view.start import start_html
from diffing.view.start.concurrency_limit import ConcurrencyLimit
from diffing.view.start.form_parsing import FormRequest, in_page_terms, line_of, read_form
from diffing.view.start.model_field import form_problem, missing_problem, remark, run_place
from diffing.view.start.upload_pieces import UploadPiece
from diffing.view.visitor import Visitor
from diffing.view.zero import gpu_seconds, obstacle, zero_gpu

_KEPT_SECONDS = 60.0
_AT_ONCE = 12
"""Maximum number of questions answered at a time. As many again may wait; Gradio's 40 threads still have room for
others."""
_UPLOADS_AT_ONCE = 4
"""Maximum number of pieces of uploads handled at a time."""
_WAIT_SECONDS = 5.0


class NameQuestion(PageQuestion):
    """A question about the text of a name field."""

    name: str | None = None

    @property
    def line(self) -> str:
        """The name.

        Raises:
            SettingError: The value is not one line of text.
        """
        return line_of({"model_a": self.name}, "model_a")


class ModelQuestion(NameQuestion):
    """A question about where a model can run."""

    side: Lenient[Side] = None
    where: Lenient[Runner] = None


class FormQuestion(PageQuestion):
    """A question with the whole form, which `read_form` parses."""

    form: Any = None


class StartHandlers:
    """Answers the start page's questions, for all visitors. It is thread-safe."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._turns = ConcurrencyLimit(_AT_ONCE, _WAIT_SECONDS)
        # a file may take long to parse, and other questions must not wait for it
        self._upload_turns = ConcurrencyLimit(_UPLOADS_AT_ONCE, _WAIT_SECONDS)
        self._router: Router[Visitor] = Router(
            "the form",
            {
                "names": (NameQuestion, self._in_turn(self._names)),
                "link": (NameQuestion, self._in_turn(self._link)),
                "model": (ModelQuestion, self._in_turn(self._model)),
                "base": (NameQuestion, self._in_turn(self._base)),
                "llm": (NameQuestion, self._in_turn(self._llm)),
                "reader": (NameQuestion, self._in_turn(self._reader)),
                "published": (FormQuestion, self._in_turn(self._published)),
                "estimate": (FormQuestion, self._in_turn(self._estimate)),
                "begin": (FormQuestion, self._in_turn(self._begin)),
                "upload": (UploadPiece, self._in_turn(self._upload, self._upload_turns)),
            },
        )
        self._places_of = cached_per_visitor(_KEPT_SECONDS, find_run_options)

    def answer(self, raw: object, visitor: Visitor) -> Reply:
        """Answers one question.

        Args:
            raw: The question as the browser sent it: `about` (`names`, `link`, `model`, `base`, `llm`, `reader`,
                `published`, `estimate`, `begin`, or `upload`), and the `name` or `form` that it needs.
            visitor: The visitor who asks.

        Returns:
            What to show, such as `names` or `html`; or `problem` if the question cannot be answered.
        """
        return self._router.answer(
            raw,
            lambda raw: visitor,
            to_text=lambda error: in_page_terms(str(error), public=visitor.rules.public),
        )

    def _in_turn(
        self, handler: Callable[[Any, Visitor], Reply], turns: ConcurrencyLimit | None = None
    ) -> Callable[[Any, Visitor], Reply]:
        def wait(question: Any, visitor: Visitor) -> Reply:  # noqa: ANN401  any question
            with (turns or self._turns).turn():
                return handler(question, visitor)

        return wait

    def _names(self, question: NameQuestion, visitor: Visitor) -> Reply:
        """Suggests models whose names match what was typed."""
        found = self._site.suggester.models(question.line, visitor)
        reason = visible(in_page_terms(found.reason, public=visitor.rules.public))
        return {"names": [visible(name) for name in found.names], "reason": reason}

    def _link(self, question: NameQuestion, visitor: Visitor) -> Reply:
        """Reads a link to a model's page on the Hub."""
        link = read_hub_link(question.line)
        return {} if link is None else {"name": visible(str(link)), "told": visible(f"Link read as {link}")}

    def _model(self, question: ModelQuestion, visitor: Visitor) -> Reply:
        """Shows where a model can run, or what is wrong with its name."""
        name, side = question.line, question.side or "a"
        if not name:
            return {"html": ""}
        page = self._page(visitor)
        if problem := form_problem(name, public=visitor.rules.public):
            return {"html": "", "wrong": start_html.wrong(problem, page)}
        places = () if read_ref(name).prefixed else self._places_of(name, visitor)
        if places and places[0].missing:
            similar = self._site.suggester.similar(read_ref(name).name, visitor)
            wrong = start_html.wrong(missing_problem(name, places[0]), page, similar=similar, sign_in=places[0].sign_in)
            return {"html": "", "wrong": wrong}
        free = [place.where for place in places if not place.obstacle]
        chosen = next((where for where in free if where == question.where), free[0] if free else None)
        html = start_html.places(places, side=side, chosen=chosen, remark=remark(name), page=page)
        return {"html": html}

    def _base(self, question: NameQuestion, visitor: Visitor) -> Reply:
        """Proposes for B the base model that model A's card names; empty if the card does not name exactly one."""
        name = question.line
        base = self._site.suggester.base_of(name, visitor)
        if not name or read_ref(name).prefixed or base.base is None:
            return {}
        html = start_html.proposal(base.base, name, self._page(visitor))
        return {"base": visible(base.base), "model": visible(base.model), "html": html}

    def _llm(self, question: NameQuestion, visitor: Visitor) -> Reply:
        """Shows whether Inference Providers serve an LLM."""
        ref = read_ref(question.line)
        if not ref.name or (ref.prefixed and ref.place != ModelPlace.PROVIDERS):
            return {"html": ""}
        return {"html": start_html.place(self._places_of(ref.name, visitor)[1], self._page(visitor))}

    def _reader(self, question: NameQuestion, visitor: Visitor) -> Reply:
        """Shows whether a reader model can run here."""
        name = question.line
        if not name:
            return {"html": ""}
        return {"html": start_html.place(self._reader_place(name, visitor), self._page(visitor))}

    def _reader_place(self, name: str, visitor: Visitor) -> RunOption:
        reader = PRESETS[name].reader if name in PRESETS else name
        here = self._places_of(reader, visitor)[0]
        return replace(here, remark="")  # a reader model needs no chat template

    def _published(self, question: FormQuestion, visitor: Visitor) -> Reply:
        """Links to finished diffs of the two models."""
        config = read_form(question.form).config
        if not (config.model_a and config.model_b):
            return {"html": ""}
        found = self._site.diffs.published(config.model_a, config.model_b, visitor)
        return {"html": start_html.published(found, self._page(visitor))}

    def _estimate(self, question: FormQuestion, visitor: Visitor) -> Reply:
        """Estimates the run, or names the problem that prevents it."""
        page, seconds = self._page(visitor), None
        try:
            request = read_form(question.form)
        except SettingError as error:
            return self._refused(RunPreview(problem=str(error)), visitor, getattr(error, "field", ""))
        preview = self._preview(request, visitor)
        estimate = preview.estimate
        if estimate is None:
            itself = bool(request.config.model_a.strip()) and answer_the_same(request.config)
            return self._refused(preview, visitor, preview.field, itself=itself)
        if zero_gpu():
            seconds = gpu_seconds(request.config, estimate, size_of=self._size_for(visitor))
        queue = start_html.QueueStatus(*self._site.run_manager.busy, self._site.settings.workers)
        cost, where = start_html.headline(estimate), run_place(request.config, public=visitor.rules.public)
        return {
            "html": start_html.estimate(preview, page, queue=queue, gpu_seconds=seconds),
            "stages": start_html.stages(estimate, page),
            "ready": True,
            "first": visible(cost),
            "where": visible(where),
        }

    def _refused(self, preview: RunPreview, visitor: Visitor, field: str, *, itself: bool = False) -> Reply:
        """Names the problem that prevents the run, and the field in which it can be solved."""
        html = start_html.obstacle(preview, self._page(visitor), itself=itself)
        problem = visible(in_page_terms(preview.problem, public=visitor.rules.public))
        return {"html": html, "stages": "", "ready": False, "first": problem, "field": field}

    def _preview(self, request: FormRequest, visitor: Visitor) -> RunPreview:
        """Previews the run.

        Problems with the form of names, with where models run, with the reader, or with a lent GPU take precedence over
        the estimate.
        """
        config = request.config
        uploads = self._site.run_manager.uploads
        try:
            there = uploads.resolved(config)
        except SettingError as error:
            return RunPreview(problem=str(error))
        # only runs may open strangers' files, and their paths are secret
        preview = self._site.previewer.preview(config if visitor.rules.public else there, request.limits, visitor)
        if not (config.model_a and config.model_b):
            return preview
        for side in SIDES:
            if problem := form_problem(getattr(config, f"model_{side}"), public=visitor.rules.public):
                return RunPreview(problem=f"Model {side.upper()}: {problem}", field=f"model_{side}")
        for field, what, place in self._needed(request, visitor):
            if place.obstacle:
                return RunPreview(problem=f"{what}: {place.obstacle}", sign_in=place.sign_in, field=field)
        if preview.estimate and zero_gpu():
            problem = obstacle(config, preview.estimate, size_of=self._size_for(visitor))
            return RunPreview(problem=problem) if problem else preview
        return preview

    def _needed(self, request: FormRequest, visitor: Visitor) -> Iterator[tuple[str, str, RunOption]]:
        """Yields for each model of a run the field that names it, what it is for, and how it would run."""
        config = request.config
        for side in SIDES:
            ref = read_ref(getattr(config, f"model_{side}"))
            if ref.provider or not (ref.runs_here or ref.place == ModelPlace.PROVIDERS) or ref.marked:
                continue  # a named provider, a server, or recorded responses
            here, providers = self._places_of(ref.name if ref.remote else str(ref), visitor)
            yield f"model_{side}", f"Model {side.upper()}", here if request.where[side] == "here" else providers
        for plan in plans_of(config):
            for what, name in plan.loads(config).items():
                yield f"method={plan.name}", what, self._reader_place(name, visitor)

    def _size_for(self, visitor: Visitor) -> SizeOf:
        return lambda spec: self._site.previewer.size(spec, visitor)

    def _begin(self, question: FormQuestion, visitor: Visitor) -> Reply:
        """Starts the run."""
        request = read_form(question.form)
        preview = self._preview(request, visitor)
        if preview.problem:
            raise SettingError(preview.problem)
        owner = self._site.run_owners.of(visitor)
        run = self._site.run_manager.start(request.config, request.limits, owner=owner, token=visitor.token)
        return {"go": PageAddress("run", run).query}

    def _upload(self, question: UploadPiece, visitor: Visitor) -> Reply:
        """Stores a piece of a file of responses; after the last one, parses the upload and describes it."""
        piece, uploads = question, self._site.run_manager.uploads
        key = piece.key or uploads.begin(self._site.run_owners.of(visitor))
        uploads.add(key, piece.number, piece.name, piece.at, piece.data)
        if not piece.last:
            return {"key": key}
        found = uploads.finish(key, piece.columns)
        count = f"{found.responses:,} response{'' if found.responses == 1 else 's'}"
        named = "" if is_recorded(found.model) else f" of {found.model}"
        return {"model": found.spec, "told": visible(f"{found.name}: {count}{named}, read as {found.shape}.")}

    def _page(self, visitor: Visitor) -> start_html.PageContext:
        return start_html.page_of(self._site.settings, visitor)
