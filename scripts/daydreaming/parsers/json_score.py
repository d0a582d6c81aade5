"""The parser of evaluations whose judges answer with JSON, as structured outputs do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from daydreaming.base.errors import ParseError
from daydreaming.parsers.contract import ParsedScore, ParserContext, unreadable
from daydreaming.parsers.scale import OffScaleError, on_scale, score_text

_BEGINNING = re.compile(r'\{\s*+"')
_LONGEST_ENDING = 1_000_000
_MOST_BROKEN_OBJECTS = 1000
_LONGEST_NUMBER = 40


class _Number(str):
    """A number as the judge wrote it."""


def json_score(answer: str, context: ParserContext) -> str:
    """Return the number under `score_key` in the last JSON object that has one, fenced or not.

    The object may be part of a larger one; then the key must be there once, or with one value. The number is a score
    on the rubric's scale as it is: nothing is rescaled.

    Raises:
        ParseError: there is no such object, what stands under the key is no number, or it is outside the scale.
    """
    ending = answer[-_LONGEST_ENDING:]
    values: list[Any] = []
    position = 0
    for value, start, end in _objects(ending, answer):
        if found := _values(value, context.score_key):
            values, part, position = found, ending[start:end], end
    _check_no_broken_object(ending[position:], context.score_key, answer)
    if not values:
        raise unreadable(f"No JSON object with a number under {context.score_key!r} found.", answer)
    return _score(values, part, answer, context)


def _score(values: list[Any], part: str, answer: str, context: ParserContext) -> ParsedScore:
    key = context.score_key
    if not all(isinstance(value, _Number) and len(value) <= _LONGEST_NUMBER for value in values):
        raise unreadable(f"What stands under {key!r} is no number.", answer, part)
    try:
        # float() first: a number such as 1e999999 would fill the memory as a fraction.
        scores = {on_scale(_fraction(value), context): value for value in values}
    except OffScaleError as error:
        raise unreadable(str(error), answer, part) from None
    except OverflowError:
        raise unreadable(f"The number under {key!r} is too large.", answer, part) from None
    if len(scores) > 1:
        raise unreadable(f"The JSON object has {key!r} with different numbers.", answer, part)
    [(score, written)] = scores.items()
    return ParsedScore(score_text(score), str(written))


def _fraction(number: _Number) -> Fraction:
    value = float(number)
    return Fraction(value) if value in (0.0, float("inf")) or "e" in number.lower() else Fraction(str(number))


def _objects(ending: str, answer: str) -> Iterator[tuple[Mapping[str, Any], int, int]]:
    """Yield the JSON objects of a text, none of them part of another, with where they begin and end."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_without_doubled_keys, parse_int=_Number, parse_float=_Number, parse_constant=_no_constant
    )
    position, broken = 0, 0
    while beginning := _BEGINNING.search(ending, position):
        try:
            value, position = decoder.raw_decode(ending, beginning.start())
        except json.JSONDecodeError as error:
            position, broken = max(error.pos, beginning.end()), broken + 1
        except ParseError as error:
            raise unreadable(str(error), answer) from None
        except RecursionError:
            raise unreadable("The JSON of the reply is nested too deep.", answer) from None
        else:
            yield value, beginning.start(), position
        if broken > _MOST_BROKEN_OBJECTS:
            raise unreadable(
                f"More than {_MOST_BROKEN_OBJECTS} pieces of the reply begin as JSON and are none.", answer
            )


def _values(value: Any, key: str) -> list[Any]:
    """Return what stands under a key: of the object itself, else of all objects within it."""
    found, waiting = [], [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if key in part and part is value:
                return [part[key]]
            found.extend([part[key]] if key in part else [])
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return found


def _check_no_broken_object(rest: str, key: str, answer: str) -> None:
    """An object that cannot be read is not passed over for an earlier one."""
    if f'"{key}"' in rest and _BEGINNING.search(rest):
        raise unreadable(f"The last JSON object with {key!r} is broken or cut off.", answer)


def _without_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ParseError("A JSON object of the reply has the same key twice.")
    return value


def _no_constant(name: str) -> Any:
    raise ParseError(f"The JSON of the reply holds {name}, which is no number of JSON.")
