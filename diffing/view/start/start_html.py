"""HTML of the start page. Everything it returns comes from templates that escape every text, and from nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from diffing.estimate import RunEstimate
from diffing.methods.base import MethodPlan, method_plans
from diffing.methods.sae.presets import PRESETS
from diffing.model_ref import is_remote
from diffing.models.recorded.source import SUFFIXES
from diffing.outputs.dataset import Published
from diffing.outputs.html import environment
from diffing.prompts.bundled_set import bundled_domains, read_bundled
from diffing.rendering import templates_of
from diffing.settings import SettingInfo, described
from diffing.view.examples import EXAMPLES
from diffing.view.page_query import Address
from diffing.view.preflight.places import Place
from diffing.view.preflight.preview import Preview
from diffing.view.runs import Rules
from diffing.view.runs.uploads import MOST_BYTES
from diffing.view.site import SiteSettings
from diffing.view.start.form_parsing import NAME_LENGTH, TEXT_LENGTH, labels, said
from diffing.view.visitor import Visitor

if TYPE_CHECKING:
    from jinja2 import Environment

SIZES = (
    ("Quick", 100, 50, "shows large differences"),
    ("Normal", 300, 150, "for most pairs"),
    ("As in the papers", 1000, 500, "for small differences"),
)
"""Numbers of prompts offered, train and held-out."""
SIZE = 1
"""The one chosen at first."""
_MOST_PUBLISHED = 3
_ENDINGS = ",".join((*SUFFIXES, ".gz"))
_NO_LLM = "Inference Providers answer, and bill, those who are signed in."


@dataclass(frozen=True, slots=True)
class Page:
    """What the templates need to know of the page and of who looks at it."""

    rules: Rules
    """Of this machine."""
    signed_in: bool
    """Whether the visitor is."""
    can_sign_in: bool
    """Whether the page offers it."""


@dataclass(frozen=True, slots=True)
class Queue:
    """All visitors' runs."""

    running: int
    """At work."""
    waiting: int
    """In line."""
    workers: int
    """At a time."""


def page_of(settings: SiteSettings, visitor: Visitor) -> Page:
    """The page as one visitor sees it."""
    return Page(visitor.rules, visitor.token is not None, settings.sign_in)


def form(where: Address, page: Page) -> str:
    """The whole form, empty but for what an address names.

    Args:
        where: Of the kind `pair` with two names, or another.
        page: As its visitor sees it.
    """
    names = {"a": where.value, "b": where.other} if where.what == "pair" else {"a": "", "b": ""}
    return _rendered(
        "form.html.jinja", page, names={side: name[:NAME_LENGTH] for side, name in names.items()},
        named=where.what == "pair", labels=labels(), presets=PRESETS, sizes=SIZES, size=SIZE,
        domains=bundled_domains(), bundled=_bundled(), examples=EXAMPLES, name_length=NAME_LENGTH,
        text_length=TEXT_LENGTH, no_llm=_NO_LLM if page.rules.public and not page.signed_in else "",
        plans=method_plans().values(), own_fields=_own_fields, fields_of=_fields_of,
        upload_megabytes=MOST_BYTES >> 20, endings=_ENDINGS,
    )  # fmt: skip


def _fields_of(plan: MethodPlan) -> str:
    """The template of what the form asks of a method: one of its own, or the one that shows its settings."""
    own = f"method-{plan.name}.html.jinja"
    return own if _own(f"shown/{own}") is not None else "method.html.jinja"


def _own_fields(plan: MethodPlan) -> list[SettingInfo]:
    """The settings of a method that the form offers, if no template of its own shows them."""
    return [each for each in described(plan.settings).values() if each.setting.title]


def proposal(base: str, name: str, page: Page) -> str:
    """The base model of A, proposed for B."""
    return _rendered("proposal.html.jinja", page, base=base, name=name)


def published(diffs: Sequence[Published], page: Page) -> str:
    """Links to finished diffs of the same two models."""

    def address(repo_id: str) -> str:
        return Address("diff", repo_id).query

    return _rendered("published.html.jinja", page, diffs=diffs[:_MOST_PUBLISHED], address=address) if diffs else ""


def places(places: Sequence[Place], *, side: str, chosen: str | None, remark: str, page: Page) -> str:
    """The choice of where a model runs, or a remark where its name says so."""
    return _rendered("places.html.jinja", page, places=places, side=side, chosen=chosen, remark=remark)


def place(place: Place, page: Page) -> str:
    """Whether a model that has no choice of place can be used."""
    return _rendered("place.html.jinja", page, place=place)


def estimate(preview: Preview, page: Page, *, queue: Queue, gpu_seconds: float | None = None) -> str:
    """What to know before the start beside what it takes, or what helps where something is in the way.

    Args:
        preview: Either.
        page: As this visitor sees it.
        queue: All visitors' runs.
        gpu_seconds: Of the visitor's quota, where a GPU is lent.
    """
    return _rendered("estimate.html.jinja", page, preview=preview, queue=queue, gpu_seconds=gpu_seconds)


def stages(told: RunEstimate, page: Page) -> str:
    """What a run takes, stage by stage."""
    return _rendered("stages.html.jinja", page, told=told, cost=_cost, remote=_remote(told))


def headline(told: RunEstimate) -> str:
    """What a run takes, in a few words."""
    return f"{duration(told.total.minutes)}, {_cost_of(told)}"


def duration(minutes: float | None) -> str:
    """A time in words."""
    if minutes is None:
        return "time not known"
    if minutes < 1:
        return "under a minute"
    if minutes < 90:
        return f"about {round(minutes)} minute{'s' if round(minutes) > 1 else ''}"
    hours = minutes / 60
    return f"about {hours:.1f} hours" if hours < 10 else f"about {round(hours)} hours"


def _cost_of(told: RunEstimate) -> str:
    """What the whole run costs, in words."""
    usd = told.total.usd
    if not _remote(told):
        return "no cost"
    return "cost not known" if usd is None else f"about {_cost(usd)}"


def _cost(usd: float | None) -> str:
    if usd is None:
        return "?"
    return f"${usd:,.2f}" if usd >= 0.01 or usd == 0 else "< $0.01"


def _remote(told: RunEstimate) -> bool:
    return any(is_remote(stage.model) for stage in told.stages)


def script() -> str:
    """What runs in the browser."""
    return "\n".join(_own(name) or "" for name in ("combo.js", "draft.js", "estimate.js", "upload.js", "start.js"))


@lru_cache(maxsize=1)
def _bundled() -> int:
    return len(read_bundled())


def _rendered(template: str, page: Page, **values: object) -> str:
    def worded(text: str) -> str:
        text = said(text, public=page.rules.public)
        return text if text.endswith((".", "?", "!")) else f"{text}."

    return _templates().get_template(template).render(page=page, said=worded, **values)


@lru_cache(maxsize=1)
def _templates() -> "Environment":
    return environment(templates_of(__package__, "shown"))


_own = templates_of(__package__)
"""Files of this package."""
