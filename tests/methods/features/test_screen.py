import json
from pathlib import Path

import numpy as np
import pytest

from diffing.methods.exchanges import UnreadableResponse
from diffing.methods.features.feature_screening import LatentCounts, ScreenOptions, count_latents, mcnemar, screen
from diffing.methods.features.sparse_latents import Latents, pack, unpack
from tests.papers import paper_differences


def row(active: np.ndarray) -> Latents:
    indices = np.flatnonzero(active).astype(np.int32)
    return Latents(indices, np.ones(len(indices), dtype=np.float32), 1)


def counted(a: np.ndarray, b: np.ndarray) -> LatentCounts:
    return count_latents([(row(x), row(y)) for x, y in zip(a, b, strict=True)], a.shape[1])


def test_paper_mode_equals_the_papers_code(shared_data: Path) -> None:
    recorded = json.loads((shared_data / "differential" / "diff_features.json").read_text())
    a, b = (np.array(recorded[side]).mean(axis=0) for side in "AB")
    for setting, rows in recorded["results"].items():
        kind, lowest, highest = setting.split("|")
        ours = paper_differences(a, b, relative=kind == "relative", lowest=float(lowest), highest=float(highest))
        theirs = [(r["feature_id"], r["model_a"], r["model_b"], r["frequency_difference"]) for r in rows]
        assert ours == theirs, setting


def test_paper_mode_keeps_the_strongest_of_each_direction(shared_data: Path) -> None:
    recorded = json.loads((shared_data / "differential" / "diff_features.json").read_text())
    a, b = np.array(recorded["A"])[:45], np.array(recorded["B"])
    found = screen(counted(a, b), ScreenOptions(mode="paper"))
    expected = {i for i, _, _, d in paper_differences(a.mean(axis=0), b.mean(axis=0)) if abs(d) > 0.03}
    assert {one.index for one in found} == expected
    assert [abs(one.difference) for one in found] == sorted((abs(one.difference) for one in found), reverse=True)
    few = screen(counted(a, b), ScreenOptions(mode="paper", most=6))
    for side in ("a", "b"):
        assert [o for o in few if o.direction == side] == [o for o in found if o.direction == side][:3]


def test_paired_test_equals_statsmodels() -> None:
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    pairs = [(0, 0), (1, 0), (5, 0), (0, 9), (7, 7), (30, 12), (200, 250), (1, 2)]
    ours = mcnemar(np.array([x for x, _ in pairs]), np.array([y for _, y in pairs]))
    for (only_a, only_b), p in zip(pairs, ours, strict=True):
        assert p == pytest.approx(min(float(theirs([[3, only_a], [only_b, 4]], exact=True).pvalue), 1.0), rel=1e-12)


def test_tally_counts_pairs() -> None:
    a = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]])
    b = np.array([[0, 1, 0], [1, 1, 0], [0, 0, 0]])
    got = counted(a, b)
    assert (got.a.tolist(), got.b.tolist()) == ([2, 2, 0], [1, 2, 0])
    assert (got.only_a.tolist(), got.only_b.tolist()) == ([1, 1, 0], [0, 1, 0])


def test_sides_swapped_at_random_pass_seldom() -> None:
    """200 runs without any difference: the screen passes something in at most 5 % of them."""
    runs = 0
    random = np.random.default_rng(0)
    base = random.random(400)
    a, b = (random.random((120, 400)) < 0.6 * base for _ in range(2))
    for _ in range(200):
        swap = random.random(120)[:, None] < 0.5
        one, two = np.where(swap, b, a), np.where(swap, a, b)
        runs += bool(screen(counted(one, two), ScreenOptions()))
        if _ == 0:
            by_margin = screen(counted(one, two), ScreenOptions(mode="paper"))
    assert len(by_margin) > 40  # the margin alone passes a tenth of latents that do not differ
    assert runs <= 10


def test_a_difference_passes() -> None:
    random = np.random.default_rng(1)
    a, b = (random.random((200, 300)) < 0.3 for _ in range(2))
    a[:, 7] = random.random(200) < 0.6
    b[:, 9] = random.random(200) < 0.7
    found = screen(counted(a, b), ScreenOptions())
    assert [(one.index, one.direction) for one in found] == [(9, "b"), (7, "a")]
    assert screen(LatentCounts(0, *(np.zeros(4, dtype=np.int64),) * 4), ScreenOptions()) == ()


def test_rows_come_back_from_text_as_they_were() -> None:
    latents = Latents(np.array([3, 70000], dtype=np.int32), np.array([0.1, 5.5], dtype=np.float32), 12)
    back = unpack(pack(latents))
    assert isinstance(back, Latents)
    assert back.indices.tolist() == [3, 70000]
    assert back.values.tolist() == latents.values.tolist()
    assert (back.tokens, back.value(70000), back.value(4)) == (12, 5.5, 0.0)
    assert unpack(pack(UnreadableResponse("too long"))) == UnreadableResponse("too long")
    for damaged in ("", "[]", "{}", '{"tokens": 1, "indices": "AA==", "values": "x"}'):
        assert unpack(damaged) is None
