"""Runs requests to a server concurrently, with retries, back-off, Retry-After and a limit on consecutive failures.

The caller passes a function that makes one attempt: it returns a completion, raises `TransientError` if another attempt
may succeed, or raises `ModelError` to end everything at once.
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
from diffing.models.concurrency_window import ConcurrencyWindow
from diffing.types import Completion, Conversation

Ask: TypeAlias = Callable[[Conversation], Completion]
"""Makes one attempt at one conversation; raises TransientError or ModelError. Called from several threads."""

_FAILURES_IN_A_ROW = 8
"""The server counts as down after this many consecutive requests failed in all their attempts."""
_PATIENCE = 3
"""After `concurrency` plus this many times `attempts` consecutive requests to wait (Retry-After), the run gives up."""
_LONGEST_BACK_OFF = 30.0
"""Maximum seconds between attempts if the server does not say how long to wait."""
_LONGEST_RETRY_AFTER = 600.0
"""Maximum pause in seconds that is accepted; a longer one means that a daily quota is used up."""
_LONGEST_MEANT = 31 * 86_400.0
"""Maximum Retry-After in seconds that is believed; no quota lasts longer than a month."""
_LONGEST_DATE = 100
"""Maximum length of a date header in characters."""
_SECONDS = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{0,9})?")


class TransientError(Exception):
    """One attempt failed in a way that may succeed later."""

    def __init__(self, detail: str, retry_after: float | None = None, *, overloaded: bool = False) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds that the server asked to wait; None if it did not."""
        self.overloaded = overloaded or retry_after is not None
        """Whether the server gets more requests than it takes."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Limits on the requests to one server: concurrency, timeout and number of attempts."""

    concurrency: int = 8
    """Maximum number of simultaneous requests."""
    timeout: float = 120.0
    """Seconds to wait for one answer; the pauses between attempts are proportional to it."""
    attempts: int = 6
    """Maximum number of attempts per request."""

    def __post_init__(self) -> None:
        if self.concurrency < 1 or self.attempts < 1 or not self.timeout > 0:
            raise SettingError(
                "A remote model needs concurrency >= 1, attempts >= 1 and timeout > 0; "
                f"got {self.concurrency}, {self.attempts} and {self.timeout}"
            )

    def back_off(self, attempt: int) -> float:
        """Seconds to wait after an attempt, before jitter: timeout / 200, doubled with each attempt."""
        return min(self.timeout / 200 * 2.0 ** (attempt - 1), _LONGEST_BACK_OFF)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Parses a Retry-After header, which is seconds or an HTTP date (RFC 9110, section 10.2.3).

    Args:
        value: The raw header.
        now: The current time by the server's clock, which may differ from ours; None uses ours.

    Returns:
        Seconds from now, at least 0; None if there is no header, if it is neither a number nor a date, or if it is
        implausibly far away, such as seconds since 1970.
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
    """Parses an HTTP date; None if it is missing or invalid."""
    if not value or len(value) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(value)
        # "-0000": the date is in UTC, says RFC 5322
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):  # not a date, or an impossible time zone or year
        return None


class _PutOff(Exception):
    """The server asked to repeat the request after a pause."""


class _Stopped(Exception):
    """The whole call ended before this request was sent."""


class ServerRequests:
    """Sends requests to one server: at most `concurrency` at a time, repeated with back-off and jitter.

    If the server is overloaded, fewer are sent at a time (see `ConcurrencyWindow`). If it tells one request to wait
    (Retry-After), all requests wait. Whether the server ever answered, and how
    many requests failed in a row, is remembered over several `ask_all` calls, since a caller may ask in small portions.
    Only one `ask_all` may run at a time.
    """

    def __init__(self, who: str, effort: RequestLimits) -> None:
        self._who = who
        self._effort = effort
        self._jitter = random.Random()  # its own generator, since the global one belongs to the user
        self._not_before = 0.0
        self._single_file = threading.Lock()
        self._window = ConcurrencyWindow(effort.concurrency)
        self._answered = False
        self._failed_in_a_row = 0
        self._failed: set[Conversation] = set()
        self._put_off_in_a_row = 0

    def ask_all(
        self, ask: Ask, conversations: Sequence[Conversation], on_completion: OnCompletion | None = None
    ) -> list[Completion]:
        """Asks all conversations, in order as far as threads allow.

        Args:
            ask: Makes one attempt at one conversation.
            conversations: The conversations.
            on_completion: Called on the calling thread after each completion.

        Returns:
            One completion per conversation, in order; `finish` is `error` if all attempts failed.

        Raises:
            ModelError: `ask` raised it, 8 requests in a row failed, or all failed and the server never answered before.
                Requests that are already under way are finished first, and their answers are passed to
                `on_completion`, since they may have been paid for.
        """
        stop = threading.Event()
        completions: dict[int, Completion] = {}
        pool = ThreadPoolExecutor(max_workers=self._effort.concurrency, thread_name_prefix="diffing-requests")
        waiting, under_way = iter(enumerate(conversations)), dict[Future[Completion], int]()
        try:
            while True:
                # answers are handed over before new requests are sent, so that a kill loses only requests under way
                for index, each in islice(waiting, self._effort.concurrency - len(under_way)):
                    under_way[pool.submit(self._persist, ask, each, stop)] = index
                if not under_way:
                    break
                future = next(iter(wait(under_way, return_when=FIRST_COMPLETED).done))
                index = under_way.pop(future)
                if isinstance(future.exception(), _Stopped):
                    continue  # another request's error ended the call
                completions[index] = completion = future.result()
                if on_completion:
                    on_completion(index, completion)
                self._count(completion, conversations[index])
            if completions and not self._answered:
                raise self._down(f"all {len(completions)} requests", completions[len(completions) - 1])
        except ModelError:
            stop.set()
            pool.shutdown(cancel_futures=True)
            _hand_over(under_way, on_completion)
            raise
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
        return [completions[index] for index in range(len(conversations))]

    def _persist(self, ask: Ask, conversation: Conversation, stop: threading.Event) -> Completion:
        """Makes all attempts at one conversation, in a thread of the pool."""
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._effort.attempts),
            wait=self._wait,
            sleep=sleep_using_event(stop),
            reraise=True,
        )
        try:
            return retrying(self._attempt, ask, conversation, stop)
        except TransientError as fault:
            return Completion(text="", finish="error", detail=f"{fault} ({self._effort.attempts} attempts)")
        except ModelError:
            stop.set()  # at once, so that no further request is sent
            raise

    def _attempt(self, ask: Ask, conversation: Conversation, stop: threading.Event) -> Completion:
        """Makes one attempt, and repeats it if the server asks to wait, which does not count as a failure.

        Requests that had to wait are repeated one after another. Otherwise all would compete for the little capacity of
        the server, and some would lose every time.
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
            # with jitter, so that the waiting requests are not all sent at the same moment
            stop.wait(pause + self._jitter.uniform(0.0, min(1.0, pause / 4)))
        try:
            return self._ask_in_window(ask, conversation, stop)
        except TransientError as fault:
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

    def _ask_in_window(self, ask: Ask, conversation: Conversation, stop: threading.Event) -> Completion:
        with self._window.place(stop) as number:
            if stop.is_set():
                raise _Stopped
            try:
                completion = ask(conversation)
            except TransientError as fault:
                if fault.overloaded:
                    self._window.overloaded(number)
                raise
            self._window.answered()
            return completion

    def _wait(self, state: RetryCallState) -> float:
        return self._effort.back_off(state.attempt_number) * self._jitter.uniform(0.5, 1.0)

    def _count(self, completion: Completion, conversation: Conversation) -> None:
        if completion.finish != "error":
            self._answered = True
            self._failed_in_a_row = self._put_off_in_a_row = 0
            return
        if conversation in self._failed:  # a repeated failure of the same conversation says nothing new of the server
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
    """Passes on the answers of requests that were under way when the call was ended."""
    for future, index in under_way.items():
        if future.cancelled() or future.exception() is not None:
            continue
        if on_completion and future.result().finish != "error":
            on_completion(index, future.result())
