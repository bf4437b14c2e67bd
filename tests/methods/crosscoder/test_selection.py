"""What is decided without training: the selection, the threshold, the course of a training, the sizes."""

from dataclasses import replace

import pytest
import torch

from diffing.errors import SettingError
from diffing.methods.crosscoder.adam import Adam, clipped
from diffing.methods.crosscoder.batch_topk import ThresholdAverage, keep_largest
from diffing.methods.crosscoder.normaliser import measure_normaliser
from diffing.methods.crosscoder.training_schedule import TrainingSchedule
from diffing.methods.crosscoder.training_settings import batch_size, check_rows, default_settings
from tests.methods.crosscoder.worlds import SOURCE, Rows


def test_the_largest_scores_of_the_whole_batch_stay() -> None:
    scores = torch.tensor([[5.0, 0.0, 1.0], [2.0, 3.0, 4.0]])
    kept, smallest = keep_largest(scores, 3)
    assert kept.tolist() == [[True, False, False], [False, True, True]]
    assert smallest == 3


def test_scores_of_zero_are_never_kept() -> None:
    kept, smallest = keep_largest(torch.tensor([[0.0, 2.0], [0.0, 0.0]]), 3)
    assert kept.tolist() == [[False, True], [False, False]]
    assert smallest == 2
    kept, smallest = keep_largest(torch.zeros(2, 2), 9)
    assert not kept.any()
    assert smallest == torch.inf


def test_the_threshold_is_a_moving_average_that_the_first_score_does_not_dominate() -> None:
    average = ThresholdAverage()
    assert average.value == 0
    average.add(torch.tensor(4.0))
    assert average.value == pytest.approx(4)
    average.add(torch.tensor(2.0))
    assert average.value == pytest.approx((0.999 * 4 + 2) / 1.999)
    average.add(torch.tensor(torch.inf))
    assert average.value == pytest.approx((0.999 * 4 + 2) / 1.999)


def test_a_training_rises_and_falls() -> None:
    settings = default_settings(SOURCE, (64, 64), same_space=True, rows=2_048 * 1_000, latents=1_000)
    schedule = TrainingSchedule(settings)
    assert [schedule.rate(step) / settings.rate for step in (0, 24, 49, 500, 800, 900, 999)] == pytest.approx(
        [0.02, 0.5, 1, 1, 1, 0.5, 0.005]
    )
    assert [schedule.kept(step) / 2_048 for step in (0, 10, 20, 999)] == pytest.approx([80, 44, 8, 8])
    assert [schedule.counts_for_threshold(step) for step in (299, 300)] == [False, True]
    assert schedule.silent_rows == 0.05 * 2_048_000
    assert TrainingSchedule(replace(settings, rows=10**9)).silent_rows == 10_000_000
    assert TrainingSchedule(replace(settings, rows=2_048 * 10**6)).rate(999) == settings.rate


@pytest.mark.parametrize(
    ("widths", "latents", "k", "rows", "own", "rate"),
    [
        ((64, 64), 512, 8, 350_000, 26, 2e-3),
        ((896, 896), 2**13, 32, 5_000_000, 410, 2e-4 * 2**0.5),
        ((896, 2_304), 2**14, 100, 20_000_000, 819, 2e-4),
        ((4_096, 4_096), 2**15, 100, 20_000_000, 1_638, 2e-4 * 0.5**0.5),
    ],
)
def test_defaults_follow_the_width(
    widths: tuple[int, int], latents: int, k: int, rows: int, own: int, rate: float
) -> None:
    settings = default_settings(SOURCE, widths, same_space=False)
    assert (settings.latents, settings.k, settings.rows, settings.partition) == (latents, k, rows, (own, own))
    assert settings.rate == pytest.approx(rate)
    assert settings.batch_rows == (512 if rows < 10**6 else 2_048)


def test_few_rows_are_trained_on_in_smaller_batches() -> None:
    assert [batch_size(rows) for rows in (100, 76_799, 98_176, 153_600, 1_228_799, 1_228_800, 10**9)] == [
        *(128, 128, 128, 256, 1_024, 2_048, 2_048)
    ]


def test_too_few_rows_are_told_and_far_too_few_refused() -> None:
    assert check_rows(100, 20_000) is None
    assert (check_rows(100, 19_000) or "").startswith("There are only 190 rows per latent, and 200 are usual")
    assert check_rows(100, 2_000) is not None
    with pytest.raises(SettingError, match=r"gives? 1,990 rows for 100 latents, 19\.9 per latent.*at most 99 latents"):
        check_rows(100, 1_990)


def test_settings_that_do_not_fit_are_refused() -> None:
    settings = default_settings(SOURCE, (64, 64), same_space=True)
    with pytest.raises(SettingError, match="Expected more latents than k"):
        replace(settings, latents=50)
    with pytest.raises(SettingError, match="Expected at least 512 rows to train on, got 511"):
        replace(settings, rows=511)


def test_the_identity_holds_all_but_the_machine() -> None:
    settings = default_settings(SOURCE, (64, 64), same_space=True)
    assert replace(settings, device="cuda").identity == settings.identity
    others = [replace(settings, seed=1), replace(settings, k=9), replace(settings, source=replace(SOURCE, texts="x"))]
    assert len({each.identity for each in (settings, *others)}) == 4


def test_rows_are_centred_and_scaled_to_a_mean_squared_norm_of_one() -> None:
    drawn = torch.Generator().manual_seed(0)
    a, b = 3 + 5 * torch.randn(400, 6, generator=drawn), 1e3 + torch.randn(400, 3, generator=drawn)
    batches = [Rows(a[:200], b[:200], 200), Rows(a[200:], b[200:], 400), Rows(a * 9, b * 9, 800)]
    normaliser = measure_normaliser(batches, 400, lambda a, b: (a, b))
    for rows, raw in zip(normaliser((a, b)), (a, b), strict=True):
        assert rows.square().sum(1).mean() == pytest.approx(1, rel=1e-3)
        assert rows.mean(0).abs().max() < 1e-4
        ratio = (rows[0] - rows[1]).norm() / (raw[0] - raw[1]).norm()
        assert (rows[2] - rows[3]).norm() / (raw[2] - raw[3]).norm() == pytest.approx(float(ratio), rel=1e-4)
    with pytest.raises(SettingError, match="are the same at all rows"):
        measure_normaliser([Rows(a, torch.ones(400, 3), 400)], 400, lambda a, b: (a, b))


@pytest.mark.slow  # torch.optim imports PyTorch's compiler, for four seconds
def test_adam_is_that_of_torch() -> None:
    drawn = torch.Generator().manual_seed(0)
    start, target = torch.randn(5, 3, generator=drawn), torch.randn(5, 3, generator=drawn)
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    adam, reference = Adam([ours]), torch.optim.Adam([theirs])
    for number in range(1, 30):
        adam.step(3 * (ours - target).square().sum(), 0.01 * number, number)
        reference.zero_grad()
        (3 * (theirs - target).square().sum()).backward()
        torch.nn.utils.clip_grad_norm_([theirs], 1.0)
        reference.param_groups[0]["lr"] = 0.01 * number
        reference.step()
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert not torch.allclose(ours, start, atol=0.1)


def test_gradients_are_clipped_together() -> None:
    large = clipped([torch.tensor([3.0, 0.0]), torch.tensor([4.0])])
    assert torch.cat(large).tolist() == pytest.approx([0.6, 0.0, 0.8], rel=1e-5)
    assert clipped([torch.tensor([0.3])])[0].item() == pytest.approx(0.3)
