"""Renders the start page as HTML, with templates that escape every text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from diffing.estimate import RunEstimate
from diffing.methods.plan import MethodPlan, method_plans
from diffing.methods.sae.presets import PRESETS
from diffing.model_ref import is_remote
from diffing.models.recorded.source import SUFFIXES
from diffing.outputs.dataset import PublishedDiff
from diffing.outputs.html import environment
from diffing.prompts.bundled_set import bundled_domains, read_bundled
from diffing.rendering import templates_of
from diffing.settings import SettingInfo, described
from diffing.view.examples import EXAMPLES, example_cards
from diffing.view.page_query import PageAddress
from diffing.view.preflight.run_options import RunOption
from diffing.view.preflight.run_preview import RunPreview
from diffing.view.runs import VisitorRules
from diffing.view.runs.uploads import MOST_BYTES
from diffing.view.site import SiteSettings
from diffing.view.start.form_parsing import NAME_LENGTH, TEXT_LENGTH, in_page_terms, labels
from diffing.view.visitor import Visitor

if TYPE_CHECKING:
    from jinja2 import Environment

SIZES = (
    ("Quick", 100, 50, "finds large differences"),
    ("Normal", 300, 150, "for most pairs"),
    ("Thorough", 1000, 500, "finds small differences"),
)
"""Offered numbers of prompts: label, train, held-out, hint."""
SIZE = 1
"""Index of the default size."""
CHECK_TEMPERATURE = 0.7
"""Temperature at which a model is compared with itself."""
_MOST_PUBLISHED = 3
_ENDINGS = ",".join((*SUFFIXES, ".gz"))
_NO_LLM = "Inference Providers need a signed-in account, which they bill."


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the templates need to know about the page and its visitor."""

    rules: VisitorRules
    """The rules of this machine."""
    signed_in: bool
    """Whether the visitor is signed in."""
    can_sign_in: bool
    """Whether the page offers signing in."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How busy the app is with the runs of all visitors."""

    running: int
    """Number of running runs."""
    waiting: int
    """Number of queued runs."""
    workers: int
    """Maximum number of runs at a time."""


def page_of(settings: SiteSettings, visitor: Visitor) -> PageContext:
    """The page's context for one visitor."""
    return PageContext(visitor.rules, visitor.token is not None, settings.sign_in)


def form(where: PageAddress, page: PageContext) -> str:
    """Renders the form, empty except for the models that an address names.

    Args:
        where: An address of the kind `pair`, or any other.
        page: The page's context.
    """
    names = {"a": where.value, "b": where.other} if where.what == "pair" else {"a": "", "b": ""}
    return _rendered(
        "form.html.jinja", page, names={side: name[:NAME_LENGTH] for side, name in names.items()},
        named=where.what == "pair", labels=labels(), presets=PRESETS, sizes=SIZES, size=SIZE,
        domains=bundled_domains(), bundled=_bundled(), examples=EXAMPLES, cards=example_cards(),
        name_length=NAME_LENGTH, text_length=TEXT_LENGTH,
        no_llm=_NO_LLM if page.rules.public and not page.signed_in else "",
        plans=method_plans().values(), own_fields=_own_fields, fields_of=_fields_of,
        upload_megabytes=MOST_BYTES >> 20, endings=_ENDINGS,
    )  # fmt: skip


def _fields_of(plan: MethodPlan) -> str:
    """The template for a method's settings: the method's own, or the general one."""
    own = f"method-{plan.name}.html.jinja"
    return own if _own(f"templates/{own}") is not None else "method.html.jinja"


def _own_fields(plan: MethodPlan) -> list[SettingInfo]:
    """The settings of a method that the general template shows."""
    return [each for each in described(plan.settings).values() if each.setting.title]


def proposal(base: str, name: str, page: PageContext) -> str:
    """Renders the proposal of A's base model for B."""
    return _rendered("proposal.html.jinja", page, base=base, name=name)


def published(diffs: Sequence[PublishedDiff], page: PageContext) -> str:
    """Renders links to finished diffs of the same two models."""

    def address(repo_id: str) -> str:
        return PageAddress("diff", repo_id).query

    return _rendered("published.html.jinja", page, diffs=diffs[:_MOST_PUBLISHED], address=address) if diffs else ""


def places(places: Sequence[RunOption], *, side: str, chosen: str | None, remark: str, page: PageContext) -> str:
    """Renders the choice of where a model runs, or a remark if the model string decides that."""
    return _rendered("places.html.jinja", page, places=places, side=side, chosen=chosen, remark=remark)


def place(place: RunOption, page: PageContext) -> str:
    """Renders whether a model that can run in only one place is usable."""
    return _rendered("place.html.jinja", page, place=place)


def wrong(text: str, page: PageContext, *, similar: str | None = None, sign_in: bool = False) -> str:
    """Renders what is wrong with the name of a model.

    Args:
        text: What is wrong.
        page: The page's context.
        similar: The name of a model that may be meant.
        sign_in: Whether signing in would help.
    """
    return _rendered("wrong.html.jinja", page, text=text, similar=similar, sign_in=sign_in)


def obstacle(preview: RunPreview, page: PageContext, *, itself: bool = False) -> str:
    """Renders what helps against a problem, besides its message.

    Args:
        preview: The problem.
        page: The page's context.
        itself: Whether both fields name the same model, which can be compared with itself as a check.
    """
    return _rendered("obstacle.html.jinja", page, preview=preview, itself=itself, temperature=CHECK_TEMPERATURE)


def estimate(preview: RunPreview, page: PageContext, *, queue: QueueStatus, gpu_seconds: float | None = None) -> str:
    """Renders what to know before the start besides the cost.

    Args:
        preview: The estimate.
        page: The page's context.
        queue: How busy the app is.
        gpu_seconds: Seconds of the visitor's GPU quota, if a GPU is lent.
    """
    return _rendered("estimate.html.jinja", page, preview=preview, queue=queue, gpu_seconds=gpu_seconds)


def stages(run_estimate: RunEstimate, page: PageContext) -> str:
    """Renders the estimate stage by stage."""
    return _rendered("stages.html.jinja", page, run_estimate=run_estimate, cost=_cost, remote=_remote(run_estimate))


def headline(run_estimate: RunEstimate) -> str:
    """Cost and duration of a run in a few words."""
    return f"{_cost_of(run_estimate)}, {duration(run_estimate.total.minutes)}"


def duration(minutes: float | None) -> str:
    """A duration in words."""
    if minutes is None:
        return "time not known"
    if minutes < 1:
        return "under a minute"
    if minutes < 90:
        return f"about {round(minutes)} minute{'s' if round(minutes) > 1 else ''}"
    hours = minutes / 60
    return f"about {hours:.1f} hours" if hours < 10 else f"about {round(hours)} hours"


def _cost_of(run_estimate: RunEstimate) -> str:
    """The cost of the whole run in words."""
    usd = run_estimate.total.usd
    if not _remote(run_estimate):
        return "Free"
    return "Cost not known" if usd is None else f"About {_cost(usd)}"


def _cost(usd: float | None) -> str:
    if usd is None:
        return "?"
    return f"${usd:,.2f}" if usd >= 0.01 or usd == 0 else "< $0.01"


def _remote(run_estimate: RunEstimate) -> bool:
    return any(is_remote(stage.model) for stage in run_estimate.stages)


def script() -> str:
    """The JavaScript of the start page."""
    return "\n".join(_own(name) or "" for name in ("combo.js", "draft.js", "estimate.js", "upload.js", "start.js"))


@lru_cache(maxsize=1)
def _bundled() -> int:
    return len(read_bundled())


def _rendered(template: str, page: PageContext, **values: object) -> str:
    def worded(text: str) -> str:
        text = in_page_terms(text, public=page.rules.public)
        return text if text.endswith((".", "?", "!")) else f"{text}."

    return _templates().get_template(template).render(page=page, said=worded, **values)


@lru_cache(maxsize=1)
def _templates() -> "Environment":
    return environment(templates_of(__package__, "templates"))


_own = templates_of(__package__)
"""Files of this package."""
