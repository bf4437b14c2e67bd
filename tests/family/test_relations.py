"""The tree, what separates its branches, and what is unique to one model, on planted truth."""

from dataclasses import replace
from itertools import combinations

import pytest
from scipy.stats import binomtest

from diffing.errors import SettingError
from diffing.estimates import Estimate
from diffing.family import Separation, family_of
from diffing.family.family_names import distinct_names
from diffing.metrics import net_interval
from diffing.types import ModelInfo
from tests.family.samples import compared, family

NAMES = ("org/base", "org/sft", "org/dpo", "org/rlhf")


def behaviour(separation: Separation) -> str:
    return separation.hypothesis.text.split()[1]


def test_distances_are_what_exceeds_guessing() -> None:
    pair = family().pair(3, 0)
    assert (pair.first, pair.second, pair.confirmed) == (0, 3, 3)
    assert pair.distance == pytest.approx(2 * 0.99 - 1)
    assert pair.p == pytest.approx(binomtest(99, 100, alternative="greater").pvalue)


def test_the_tree_joins_the_closest_first_and_averages() -> None:
    found = family()
    assert [(branch.left, branch.right) for branch in found.branches] == [((2,), (3,)), ((0,), (1,)), ((0, 1), (2, 3))]
    assert [branch.height for branch in found.branches] == pytest.approx([0.2, 0.4, (0.9 + 0.98 + 0.8 + 0.9) / 4])
    assert found.order == (0, 1, 2, 3)


def test_what_separates_groups_holds_in_every_pair_between_them() -> None:
    root = family().branches[-1]
    assert [behaviour(each) for each in root.separations] == ["nods", "rhymes"]
    nods, rhymes = root.separations
    assert (nods.more, nods.less) == (rhymes.more, rhymes.less) == ((2, 3), (0, 1))
    assert nods.least == rhymes.least == net_interval(30, 2, 100)  # the closest pair between them


def test_unique_is_what_separates_a_model_from_all_others() -> None:
    found = family()
    assert [[behaviour(each) for each in own] for own in found.unique] == [["nods", "sighs"], [], [], ["nods"]]
    assert [(each.more, each.less) for each in found.unique[0]] == [((1, 2, 3), (0,)), ((0,), (1, 2, 3))]


def test_neighbours_in_the_order_are_as_close_as_the_tree_allows() -> None:
    """The shares of four recorded stages of one model, for which SciPy's order is longer."""
    shares = {(0, 1): 0.889, (0, 2): 0.870, (0, 3): 1.0, (1, 2): 0.679, (1, 3): 0.975, (2, 3): 0.938}
    reports = {}
    for pair, share in shares.items():
        one = compared(*pair, NAMES)
        assert one.coverage
        reports[pair] = replace(one, coverage=replace(one.coverage, everything=Estimate(share, 0.0, 1.0, 100)))
    assert family_of(reports).order == (0, 1, 2, 3)


def test_two_models_are_a_family_without_anything_unique() -> None:
    found = family_of({(0, 1): compared(0, 1, NAMES)})
    assert (len(found.branches), found.unique, found.triples_in_order) == (1, ((), ()), (0, 0))


def test_the_order_given_is_compared_with_the_distances() -> None:
    assert family().triples_in_order == (4, 4)
    turned = (2, 0, 1, 3)
    reports = {(a, b): compared(*sorted((turned[a], turned[b])), NAMES) for a, b in combinations(range(4), 2)}
    assert family_of(reports).triples_in_order == (1, 4)


def test_other_prompts_are_told() -> None:
    assert family().notes == ()
    reports = {pair: compared(*pair, NAMES) for pair in combinations(range(3), 2)}
    reports[0, 1] = replace(reports[0, 1], pairs=reports[0, 1].pairs[:-5])
    (note,) = family_of(reports).notes
    assert "25 prompts are common to all, and a pair has up to 30" in note


def test_without_distances_there_is_no_family() -> None:
    with pytest.raises(SettingError, match="Give more prompts"):
        family_of({(0, 1): replace(compared(0, 1, NAMES), coverage=None)})


def test_names_are_distinct() -> None:
    def named(*ids: str) -> tuple[str, ...]:
        return distinct_names([ModelInfo(each, "model_a") for each in ids])

    assert named("org/base", "org/sft") == ("base", "sft")
    assert named("org/x@" + "1" * 40, "org/x@" + "2" * 40) == ("x@1111111", "x@2222222")
    assert named("a/x", "b/x") == ("x (1)", "x (2)")
    stages = ("pythia-12b-pre-steps", "pythia-12b-sft-2.5k-steps", "pythia-12b-sft-7k-steps")
    assert named(*stages) == ("pre", "sft-2.5k", "sft-7k")
    assert named(*stages[:2]) == stages[:2]
    assert named("x-a", "x-b", "x-") == ("x-a", "x-b", "x-")
    assert named("x-a", "x-a", "x-b") == ("x-a (1)", "x-a (2)", "x-b (3)")
