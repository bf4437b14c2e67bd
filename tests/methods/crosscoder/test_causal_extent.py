"""How many latents are checked on a processor, and on how many responses."""

from diffing.methods.crosscoder.causal_check import CHECKED, RESPONSES, affordable


def test_the_causal_check_of_a_large_model_on_a_cpu_is_smaller() -> None:
    tiny, small, large = 2 * 9e5 * 100 * 18, 2 * 1e8 * 100 * 18, 2 * 2e9 * 100 * 18
    assert affordable(tiny) == (CHECKED, RESPONSES)
    assert affordable(small) == (1, 13)
    assert affordable(large) == (1, 8)
