"""The one place where requests run at the same time, are repeated, and are given up. Knows no protocol and no server.

What is sent, and which answers mean what, its callers say: `Fault` is worth another attempt, a `ModelError` ends
everything at once, and a completion is an answer.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TypeAlias

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.nap import sleep_using_event

from diffing.errors import ModelError, SettingError
from diffing.models.base import OnCompletion
from diffing.types import Completion, Conversation

Ask: TypeAlias = Callable[[Conversation], Completion]
"""One attempt at one conversation; raises Fault or ModelError. Called from several threads."""

_FAILURES_IN_A_ROW = 8
"""So many requests in a row that failed after all their attempts mean that the server is down."""
_PATIENCE = 3
"""So many times `attempts` requests in a row may be put off, beside those that were on their way at once."""
_LONGEST_BACK_OFF = 30.0
"""Seconds between attempts, where the server does not say how long."""
_LONGEST_RETRY_AFTER = 600.0
"""A server that asks for a longer pause, in seconds, has shut us out: a quota of the day is used up."""
_LONGEST_MEANT = 31 * 86_400.0
"""Seconds; no quota is longer than a month, so a longer pause was not meant as one."""
_LONGEST_DATE = 100
"""Characters."""
_SECONDS = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{0,9})?")


class Fault(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds the server asked us to wait, if it did."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard a server is pressed, and for how long."""

    concurrency: int = 8
    """Requests at a time."""
    timeout: float = 120.0
    """Seconds to wait for one answer; it also sets the pace of the attempts."""
    attempts: int = 6
    """Attempts per request."""

    def __post_init__(self) -> None:
        if self.concurrency < 1 or self.attempts < 1 or not self.timeout > 0:
            raise SettingError(
                "A remote model needs concurrency >= 1, attempts >= 1 and timeout > 0; "
                f"got {self.concurrency}, {self.attempts} and {self.timeout}"
            )

    def back_off(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number, before jitter: timeout / 200, doubled each time."""
        return min(self.timeout / 200 * 2.0 ** (attempt - 1), _LONGEST_BACK_OFF)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Reads a Retry-After header, which is seconds or an HTTP date (RFC 9110, section 10.2.3).

    Args:
        value: The header, as it came.
        now: The moment by the clock of whoever sent it, which need not go as ours; None takes ours.

    Returns:
        Seconds from now, at least 0; None where there is no header, or none that means a time: no number, no date, or
        one that lies further off than anybody waits, such as seconds since 1970.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif moment := date_of(text):
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    else:
        return None
    return max(0.0, seconds) if seconds <= _LONGEST_MEANT else None


def date_of(value: str | None) -> datetime | None:
    """Reads an HTTP date; None where there is none, or it cannot be read."""
    if not value or len(value) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(value)
        # "-0000": the date is in UTC, says RFC 5322
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):  # no date; or a zone or a year that no calendar has
        return None


class _PutOff(Exception):
    """The server said when to come back."""


class _Stopped(Exception):
    """The call has ended before this request was sent."""


class Requests:
    """Requests to one server: at most `concurrency` at a time, repeated with back-off and jitter.

    When the server tells one request to wait (Retry-After), all wait. It remembers over its whole life whether the
    server ever answered and how many requests failed in a row, since a caller may ask in small portions. One `ask_all`
    at a time.
    """

    def __init__(self, who: str, effort: Effort) -> None:
        self._who = who
        self._effort = effort
        self._jitter = random.Random()  # its own: the global generator belongs to the user
        self._not_before = 0.0
        self._single_file = threading.Lock()
        self._answered = False
        self._failed_in_a_row = 0
        self._failed: set[Conversation] = set()
        self._put_off_in_a_row = 0

    def ask_all(
        self, ask: Ask, conversations: Sequence[Conversation], on_completion: OnCompletion | None = None
    ) -> list[Completion]:
        """Asks all, in order of the conversations as far as threads allow.

        Args:
            ask: One attempt at one conversation.
            conversations: What to ask.
            on_completion: Called from the calling thread, as each completion exists.

        Returns:
            One completion per conversation, in their order; `finish` is `error` where all attempts failed.

        Raises:
            ModelError: `ask` raised it, 8 requests in a row failed, or all failed and the server never answered before.
                Requests on their way are waited for and, where answered, handed to `on_completion` first: they may have
                been paid for.
        """
        stop = threading.Event()
        made: dict[int, Completion] = {}
        pool = ThreadPoolExecutor(max_workers=self._effort.concurrency, thread_name_prefix="diffing-requests")
        waiting, under_way = iter(enumerate(conversations)), dict[Future[Completion], int]()
        try:
            while True:
                # nobody is asked before what was answered is handed over: a kill loses no more than was under way
                for index, each in islice(waiting, self._effort.concurrency - len(under_way)):
                    under_way[pool.submit(self._persist, ask, each, stop)] = index
                if not under_way:
                    break
                future = next(iter(wait(under_way, return_when=FIRST_COMPLETED).done))
                index = under_way.pop(future)
                if isinstance(future.exception(), _Stopped):
                    continue  # what ended the call is another one's error
                made[index] = completion = future.result()
                if on_completion:
                    on_completion(index, completion)
                self._watch(completion, conversations[index])
            if made and not self._answered:
                raise self._down(f"all {len(made)} requests", made[len(made) - 1])
        except ModelError:
            stop.set()
            pool.shutdown(cancel_futures=True)
            _hand_over(under_way, on_completion)
            raise
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
        return [made[index] for index in range(len(conversations))]

    def _persist(self, ask: Ask, conversation: Conversation, stop: threading.Event) -> Completion:
        """All attempts at one conversation, in a thread of the pool."""
        retrying = Retrying(
            retry=retry_if_exception_type(Fault),
            stop=stop_after_attempt(self._effort.attempts),
            wait=self._wait,
            sleep=sleep_using_event(stop),
            reraise=True,
        )
        try:
            return retrying(self._attempt, ask, conversation, stop)
        except Fault as fault:
            return Completion(text="", finish="error", detail=f"{fault} ({self._effort.attempts} attempts)")
        except ModelError:
            stop.set()  # at once: nothing more is sent
            raise

    def _attempt(self, ask: Ask, conversation: Conversation, stop: threading.Event) -> Completion:
        """One attempt, or several where the server says when to come back: that is no failure.

        Requests that were put off come back in single file. Otherwise all would fight for the little the server gives,
        and some would lose every time.
        """
        try:
            return self._ask_when_due(ask, conversation, stop)
        except _PutOff:
            pass
        with self._single_file:
            while True:
                try:
                    return self._ask_when_due(ask, conversation, stop)
                except _PutOff:
                    continue

    def _ask_when_due(self, ask: Ask, conversation: Conversation, stop: threading.Event) -> Completion:
        while not stop.is_set() and (pause := self._not_before - time.monotonic()) > 0:
            # a little apart, so that those who waited do not come back in one moment
            stop.wait(pause + self._jitter.uniform(0.0, min(1.0, pause / 4)))
        if stop.is_set():
            raise _Stopped
        try:
            return ask(conversation)
        except Fault as fault:
            if fault.retry_after is None:
                raise
            self._not_before = max(self._not_before, time.monotonic() + fault.retry_after)
            self._put_off_in_a_row += 1
            patience = self._effort.concurrency + self._effort.attempts * _PATIENCE
            if fault.retry_after > _LONGEST_RETRY_AFTER or self._put_off_in_a_row > patience:
                raise ModelError(
                    f"{self._who} puts requests off, {self._put_off_in_a_row} in a row, at last by "
                    f"{fault.retry_after:.0f} seconds ({fault}). Rerun later: answers so far are kept."
                ) from None
            raise _PutOff from None

    def _wait(self, state: RetryCallState) -> float:
        return self._effort.back_off(state.attempt_number) * self._jitter.uniform(0.5, 1.0)

    def _watch(self, completion: Completion, conversation: Conversation) -> None:
        if completion.finish != "error":
            self._answered = True
            self._failed_in_a_row = self._put_off_in_a_row = 0
            return
        if conversation in self._failed:  # those that failed are asked again together: that they do tells nothing new
            return
        self._failed.add(conversation)
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= _FAILURES_IN_A_ROW:
            raise self._down(f"{self._failed_in_a_row} requests in a row", completion)

    def _down(self, what: str, last: Completion) -> ModelError:
        return ModelError(
            f"{self._who} does not answer: {what} failed, the last one with: {last.detail}. "
            "Check the server and rerun: answers so far are kept."
        )


def _hand_over(under_way: dict[Future[Completion], int], on_completion: OnCompletion | None) -> None:
    """Tells of requests that were answered after the end had been decided."""
    for future, index in under_way.items():
        if future.cancelled() or future.exception() is not None:
            continue
        if on_completion and future.result().finish != "error":
            on_completion(index, future.result())
