"""Decides which of a published crosscoder's two models is the run's model A and which is model B."""

from collections.abc import Sequence

from diffing.errors import ModelError, SettingError
from diffing.methods.crosscoder.crosscoder_options import PublishedChoice
from diffing.methods.crosscoder.published.layout import PublishedWeights
from diffing.methods.crosscoder.published.layout_reading import read_published
from diffing.methods.crosscoder.published.name_matching import both, same, short
from diffing.methods.crosscoder.published.weights_in_order import OrderedWeights, check_widths
from diffing.methods.inside.side_models import SideModel


def for_sides(choice: PublishedChoice, sides: tuple[SideModel, SideModel]) -> OrderedWeights:
    """Opens a published crosscoder for two models, which are then read after the blocks that its files name.

    Raises:
        SettingError: It cannot be opened, or its models are unknown.
        ModelError: It was trained on other models.
        HubError: The Hub refuses or cannot be reached.
    """
    a, b = sides
    published = read_published(choice.spec, allow_pickle=choice.allow_pickle)
    ordered = in_order(published, (a.id, b.id), choice.models)
    check_widths(ordered.published, (a.shape.width, b.shape.width))
    for side, block in zip(sides, ordered.published.blocks or (), strict=False):
        side.read_after(block)
    return ordered


def in_order(published: PublishedWeights, models: tuple[str, str], given: tuple[str, str] | None) -> OrderedWeights:
    """Puts a crosscoder's models into the order of the run.

    Args:
        published: The crosscoder.
        models: The ids of the run's models A and B.
        given: Its models in its own order as the user says, None if they were not given.

    Returns:
        The crosscoder with A first, and a note if nobody can check whose it is.

    Raises:
        SettingError: Its files do not name its models, and they were not given; or what was given contradicts them.
        ModelError: It was trained on other models.
    """
    own = published.models
    if own and given and not same(own, given):
        raise SettingError(
            f"--crosscoder-models says {both(given)}, but the files of {published.name} say {both(own)}: leave it out"
        )
    named = own or given
    if named is None:
        said = f" (they mention {published.mentioned!r:.150})" if published.mentioned else ""
        raise SettingError(
            f"The files of {published.name} do not tell which of its models is the first{said}: name both in its own "
            "order with --crosscoder-models org/base,org/tuned"
        )
    if same(named, models):
        ordered = published
    elif same(named, models[::-1]):
        ordered = published.swapped()
    else:
        raise ModelError(
            f"{published.name} was trained on {both(named)}, expected {both(models)}, which the run compares. "
            "Compare those or name another crosscoder"
        )
    _check_mentioned(published, named)
    if own:
        return OrderedWeights(ordered, None)
    return OrderedWeights(
        ordered,
        f"That {published.name} was trained on {both(named)}, in this order, is what --crosscoder-models says; its "
        "files do not tell, so nobody can check it.",
    )


def _check_mentioned(published: PublishedWeights, named: Sequence[str]) -> None:
    """Requires that what the files mention in an unknown order speaks of the models, of both if it names two.

    Raises:
        ModelError: It speaks of others.
    """
    text = (published.mentioned or "").lower()
    found = [short(name) in text for name in named]
    if text and not (all(found) if text.count("/") > 1 else any(found)):
        raise ModelError(
            f"{published.name} was trained on {published.mentioned!r:.150}, expected {both(named)}. Name another "
            "crosscoder"
        )
