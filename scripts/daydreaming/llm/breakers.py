"""Breakers: what fails again and again for one reason stops, for the rest of a run, what would fail for it too.

What a breaker keeps back fails as `not_tried`, with the first error and its cure. Used from one event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.llm.answers import CallError

# What an answer that was paid for can be useless for.
UNUSABLE = frozenset(
    {
        FailureKind.PARSE,
        FailureKind.TRUNCATED,
        FailureKind.REFUSED,
        FailureKind.EMPTY,
        FailureKind.TOO_SHORT,
        FailureKind.MALFORMED,
        FailureKind.UNFINISHED,
        FailureKind.PROMPT_CUT,
    }
)


@dataclass(slots=True)
class _Failures:
    """Failures in a row of one reason; `closed_until` is a moment in Unix seconds, None for the rest of the run."""

    reason: str
    first_message: str
    number: int = 0
    is_open: bool = False
    closed_until: float | None = None


class CallBreaker:
    """Stops the calls to an endpoint and model after so many lasting failures of one reason in a row (None: never).

    Also stops them until the moment that a provider names, when that is longer than a run waits.
    """

    def __init__(self, stop_after: int | None, now: Callable[[], float] = time.time):
        self._stop_after = stop_after
        self._now = now
        self._failures: dict[tuple[str, str], _Failures] = {}

    def is_open(self, endpoint: str, model: str) -> bool:
        """Whether calls to a model at an endpoint are kept back."""
        failures = self._failures.get((endpoint, model))
        if failures is None or not failures.is_open:
            return False
        if failures.closed_until is not None and self._now() >= failures.closed_until:
            del self._failures[endpoint, model]
            return False
        return True

    def check(self, endpoint: str, model: str) -> None:
        """Raise GenerationError (not_tried) where calls are kept back."""
        if self.is_open(endpoint, model):
            failures = self._failures[endpoint, model]
            why = (
                "wants no call now"
                if failures.closed_until is not None
                else f"failed {failures.number} times in a row ({failures.reason})"
            )
            raise GenerationError(
                FailureKind.NOT_TRIED,
                f"No call was made: {model!r} at endpoint {endpoint!r} {why}. The first time: {failures.first_message}",
            )

    def failed(self, endpoint: str, model: str, error: CallError) -> None:
        """Take note of a call that failed for good."""
        key, reason = (endpoint, model), error.lasting
        if error.stops_for_s is not None:
            until = self._now() + error.stops_for_s
            self._failures[key] = _Failures("a wait", error.message, 1, is_open=True, closed_until=until)
        elif reason is None:
            self._failures.pop(key, None)
        elif not self.is_open(*key):
            if key not in self._failures or self._failures[key].reason != reason:
                self._failures[key] = _Failures(reason, error.message)
            failures = self._failures[key]
            failures.number += 1
            failures.is_open = self._stop_after is not None and failures.number >= self._stop_after

    def succeeded(self, endpoint: str, model: str) -> None:
        """Take note of a call that brought a reply."""
        self._failures.pop((endpoint, model), None)


Asked = tuple[str, str, str]  # stage, template_id, llm_model_id


class AnswerBreaker:
    """Stops the calls for a template and model whose first so many answers of a run are all unusable for one reason.

    Until one of them was usable, no more calls are let out than could make up that number: what cannot be used is paid
    for so many times and not once more. `stop_after` None: never. What is kept back waits for the user.
    """

    def __init__(self, stop_after: int | None):
        self._stop_after = stop_after
        # None: an answer was usable, or two failed for different reasons. Then nothing is kept back.
        self._failures: dict[Asked, _Failures | None] = {}
        # Generations with a call whose worth is not known, and those that wait for one of them.
        self._let_out: Counter[Asked] = Counter()
        self._waiting: dict[Asked, deque[asyncio.Future[None]]] = {}

    def turn(self, stage: str, template_id: str, llm_model_id: str) -> AnswerTurn:
        """A generation's turn to call."""
        return AnswerTurn(self, (stage, template_id, llm_model_id))

    def check(self, stage: str, template_id: str, llm_model_id: str) -> None:
        """Raise GenerationError (not_tried) where calls are kept back; to be asked before a call."""
        failures = self._failures.get((stage, template_id, llm_model_id))
        if failures is None or not failures.is_open:
            return
        raise GenerationError(
            FailureKind.NOT_TRIED,
            f"No call was made: the first {failures.number} answers of {llm_model_id!r} to the {stage} template "
            f"{template_id!r} were all unusable ({failures.reason}). Change one of them, or set stop_after_unusable in "
            f"config.yaml to a larger number, or to null. The first time: {failures.first_message}",
        )

    def answered(self, stage: str, template_id: str, llm_model_id: str, error: GenerationError | None) -> None:
        """Take note of what came of an answer, a stored one too: None where it was usable."""
        key = (stage, template_id, llm_model_id)
        if self._stop_after is None or (key in self._failures and self._failures[key] is None):
            return
        if error is not None and error.kind not in UNUSABLE:
            return
        failures = self._failures.get(key)
        if error is None or (failures is not None and failures.reason != error.kind and not failures.is_open):
            self._failures[key] = None
        else:
            failures = self._failures.setdefault(key, _Failures(error.kind, error.message))
            if failures is not None:
                failures.number += not failures.is_open
                failures.is_open = failures.number >= self._stop_after
        self._wake(key)

    async def let_out(self, key: Asked) -> None:
        """Wait until a call may be made, or is known to be kept back; `back` must follow."""
        if self._has_room(key):
            self._let_out[key] += 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it was let out in the same moment
                self.back(key)
            raise

    def back(self, key: Asked) -> None:
        """Take note that the worth of a call that was let out is known, or that there was none."""
        self._let_out[key] -= 1
        self._wake(key)

    def waited_for(self) -> Iterable[Asked]:
        """Whose calls the others of their template and model wait for."""
        return self._waiting

    def _has_room(self, key: Asked) -> bool:
        if self._stop_after is None:
            return True
        failures = self._failures.get(key)
        if key in self._failures and (failures is None or failures.is_open):
            return True
        return (failures.number if failures else 0) + self._let_out[key] < self._stop_after

    def _wake(self, key: Asked) -> None:
        """Let out those that wait, in their order, as far as there is room."""
        waiting = self._waiting.get(key)
        while waiting and self._has_room(key):
            waiter = waiting.popleft()
            if not waiter.done():
                self._let_out[key] += 1
                waiter.set_result(None)
        if not waiting:
            self._waiting.pop(key, None)


class AnswerTurn:
    """A generation's turn to call, held from before its first call until the worth of its answer is known."""

    def __init__(self, breaker: AnswerBreaker, key: Asked):
        self._breaker = breaker
        self.kind = key
        self._is_out = False

    def __enter__(self) -> AnswerTurn:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    async def take(self) -> None:
        """Wait for it, the first time. Raises GenerationError (not_tried) where calls are kept back."""
        if not self._is_out:
            await self._breaker.let_out(self.kind)
            self._is_out = True
        self.check()

    def check(self) -> None:
        """Raise GenerationError (not_tried) where calls are kept back."""
        self._breaker.check(*self.kind)

    def answered(self, error: GenerationError | None) -> None:
        """Say what came of the answer, and give the turn back."""
        self._breaker.answered(*self.kind, error)
        self._end()

    def _end(self) -> None:
        if self._is_out:
            self._is_out = False
            self._breaker.back(self.kind)
