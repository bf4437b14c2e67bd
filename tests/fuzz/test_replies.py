"""A few hundred of the replies that `python -m tests.benchmarks.fuzz` makes a million of."""

from hypothesis import HealthCheck, given, settings

from tests.fuzz.replies import Reply, check_reply, replies


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(replies())
def test_whatever_comes_back_has_an_outcome(reply: Reply) -> None:
    check_reply(reply)
