from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.llm.answers import CallError
from daydreaming.llm.breakers import UNUSABLE, AnswerBreaker, AnswerTurn, CallBreaker

WHERE = ("openrouter", "acme/writer")
WHO = ("evaluation", "novelty", "judge")


def lasting(message: str = "No credit. Pay.", reason: str | None = "status 402", **values: Any) -> CallError:
    return CallError(FailureKind.API, message, lasting=reason, **values)


def kept_back(breaker: Any, *key: str) -> GenerationError:
    with pytest.raises(GenerationError) as caught:
        breaker.check(*key)
    assert caught.value.kind == "not_tried"
    return caught.value


def test_calls_stop_after_so_many_lasting_failures_in_a_row():
    breaker = CallBreaker(3)
    for number in range(3):
        breaker.check(*WHERE)
        breaker.failed(*WHERE, lasting(f"No credit, {number}. Pay."))
    message = kept_back(breaker, *WHERE).message
    assert "'acme/writer' at endpoint 'openrouter' failed 3 times in a row (status 402)" in message
    assert "No credit, 0. Pay." in message
    breaker.check("openrouter", "acme/other")
    breaker.check("other", "acme/writer")


@pytest.mark.parametrize(
    "between", [lasting(reason="status 404"), lasting(reason=None)], ids=["of another reason", "that may pass"]
)
def test_only_failures_of_one_reason_in_a_row_count(between: CallError):
    breaker = CallBreaker(2)
    for error in (lasting(), between, lasting()):
        breaker.failed(*WHERE, error)
    breaker.check(*WHERE)
    breaker.failed(*WHERE, lasting())
    kept_back(breaker, *WHERE)


def test_a_reply_in_between_starts_anew():
    breaker = CallBreaker(2)
    breaker.failed(*WHERE, lasting())
    breaker.succeeded(*WHERE)
    breaker.failed(*WHERE, lasting())
    breaker.check(*WHERE)


def test_those_in_flight_when_it_opens_change_nothing():
    breaker = CallBreaker(1)
    breaker.failed(*WHERE, lasting("First."))
    breaker.failed(*WHERE, lasting("Later.", "status 404"))
    assert "First." in kept_back(breaker, *WHERE).message


def test_a_breaker_can_be_switched_off():
    breaker, answers = CallBreaker(None), AnswerBreaker(None)
    for _ in range(50):
        breaker.failed(*WHERE, lasting())
        answers.answered(*WHO, GenerationError(FailureKind.PARSE, "No score."))
    breaker.check(*WHERE)
    answers.check(*WHO)


def test_a_wait_that_is_too_long_stops_the_model_until_then():
    now = [1000.0]
    breaker = CallBreaker(None, now=lambda: now[0])
    breaker.failed(*WHERE, lasting("It asks to wait 5400 s.", None, stops_for_s=5400))
    assert "It asks to wait 5400 s." in kept_back(breaker, *WHERE).message
    now[0] += 5399
    kept_back(breaker, *WHERE)
    now[0] += 1
    breaker.check(*WHERE)


def unusable(kind: FailureKind = FailureKind.PARSE) -> GenerationError:
    return GenerationError(kind, "No score. Change the rubric.")


def test_a_rubric_that_never_parses_waits_for_the_user():
    breaker = AnswerBreaker(10)
    for _ in range(10):
        breaker.check(*WHO)
        breaker.answered(*WHO, unusable())
    message = kept_back(breaker, *WHO).message
    assert "the first 10 answers of 'judge' to the evaluation template 'novelty' were all unusable (parse)" in message
    assert "stop_after_unusable" in message
    assert "No score. Change the rubric." in message
    breaker.check("evaluation", "novelty", "other judge")
    breaker.check("evaluation", "other", "judge")


@pytest.mark.parametrize("other", [None, unusable(FailureKind.TRUNCATED)], ids=["usable", "useless for another reason"])
@pytest.mark.parametrize("position", [0, 5, 9])
def test_one_answer_of_the_first_that_is_otherwise_lets_all_go_on(other: GenerationError | None, position: int):
    breaker = AnswerBreaker(10)
    for number in range(40):
        breaker.answered(*WHO, other if number == position else unusable())
    breaker.check(*WHO)


def test_failed_calls_are_no_answers():
    breaker = AnswerBreaker(2)
    for kind in set(FailureKind) - UNUSABLE:
        breaker.answered(*WHO, unusable(kind))
    breaker.answered(*WHO, unusable())
    breaker.check(*WHO)
    breaker.answered(*WHO, unusable())
    kept_back(breaker, *WHO)


def let_out(breaker: AnswerBreaker, count: int, *key: str) -> tuple[list[AnswerTurn], list[asyncio.Task[None]]]:
    """So many turns, and the tasks that take them; to be called in an event loop."""
    turns = [breaker.turn(*(key or WHO)) for _ in range(count)]
    return turns, [asyncio.create_task(turn.take()) for turn in turns]


async def taken(tasks: list[asyncio.Task[None]]) -> list[int]:
    """Which tasks have ended by now."""
    for _ in range(3):
        await asyncio.sleep(0)
    return [number for number, task in enumerate(tasks) if task.done()]


def test_before_an_answer_was_usable_no_more_are_let_out_than_may_be_unusable():
    async def scene() -> None:
        turns, tasks = let_out(breaker := AnswerBreaker(3), 8)
        assert await taken(tasks) == [0, 1, 2]
        turns[1].answered(unusable())
        assert await taken(tasks) == [0, 1, 2], "an unusable answer makes room for no other"
        turns[0].answered(unusable(FailureKind.TIMEOUT))
        assert await taken(tasks) == [0, 1, 2, 3], "a call that failed does"
        with turns[2]:
            await turns[2].take()
        assert await taken(tasks) == [0, 1, 2, 3, 4], "and one that was given up"
        await breaker.turn("evaluation", "novelty", "other judge").take()
        turns[4].answered(None)
        assert await taken(tasks) == list(range(8))
        assert not any(task.exception() for task in tasks)

    asyncio.run(scene())


def test_those_that_wait_when_it_opens_are_kept_back():
    async def scene() -> None:
        turns, tasks = let_out(AnswerBreaker(2), 5)
        await taken(tasks)
        for turn in turns[:2]:
            turn.answered(unusable())
        assert await taken(tasks) == list(range(5))
        errors = [task.exception() for task in tasks[2:]]
        assert [isinstance(error, GenerationError) and error.kind for error in errors] == ["not_tried"] * 3

    asyncio.run(scene())


def test_two_different_reasons_let_all_out():
    async def scene() -> None:
        turns, tasks = let_out(AnswerBreaker(2), 5)
        await taken(tasks)
        turns[0].answered(unusable())
        turns[1].answered(unusable(FailureKind.REFUSED))
        assert await taken(tasks) == list(range(5))

    asyncio.run(scene())


def test_who_waits_and_is_cancelled_takes_nobody_s_turn():
    async def scene() -> None:
        turns, tasks = let_out(AnswerBreaker(1), 4)
        await taken(tasks)
        tasks[1].cancel()
        await taken(tasks)
        turns[0].answered(unusable(FailureKind.TIMEOUT))
        tasks[2].cancel()  # it was let out, and does not know it yet
        assert await taken(tasks) == [0, 1, 2, 3]
        assert not tasks[3].cancelled()
        assert tasks[3].exception() is None

    asyncio.run(scene())


def test_a_turn_is_taken_once_for_all_calls_of_a_generation():
    async def scene() -> None:
        breaker = AnswerBreaker(2)
        turn = breaker.turn(*WHO)
        for _ in range(5):
            await asyncio.wait_for(turn.take(), 60)
        await asyncio.wait_for(breaker.turn(*WHO).take(), 60)

    asyncio.run(scene())


def test_answers_that_were_in_flight_when_it_opened_change_nothing():
    breaker = AnswerBreaker(1)
    breaker.answered(*WHO, unusable())
    breaker.answered(*WHO, unusable(FailureKind.TRUNCATED))
    breaker.answered(*WHO, unusable())
    assert "first 1 answers" in kept_back(breaker, *WHO).message
