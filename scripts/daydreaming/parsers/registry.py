"""Which parsers there are: by what they make, then by the name that a template catalog gives in its column `parser`.

A stage that makes preferences, whatever its name, has those of preferences and no others: a preference is no score.

To add one, write a function of the shape `contract.Parser` and enter it here (see docs/parsers.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import wraps
from types import MappingProxyType

from daydreaming.base.errors import Fault, InputError
from daydreaming.parsers.contract import Parser, ParserContext, identity
from daydreaming.parsers.draft import essay_block, essay_idea_last
from daydreaming.parsers.evaluation import complex_score, in_last_line
from daydreaming.parsers.json_score import json_score
from daydreaming.parsers.preference import preference
from daydreaming.parsers.thoughts import answer_of

PARSERS: Mapping[str, Mapping[str, Parser]] = MappingProxyType(
    {
        "text": MappingProxyType(
            {"identity": identity, "essay_idea_last": essay_idea_last, "essay_block": essay_block}
        ),
        "score": MappingProxyType({"in_last_line": in_last_line, "complex": complex_score, "json_score": json_score}),
        "preference": MappingProxyType({"preference": preference}),
    }
)
PREFERENCE_PARSERS = PARSERS["preference"]


def parser_names(makes: str) -> tuple[str, ...]:
    """Return the names of the parsers that read a text, a score or a preference."""
    return tuple(PARSERS[makes])


def get_parser(makes: str, name: str | None) -> Parser:
    """Return the parser of this name, which is given replies and reads their answers, without the model's thoughts.

    Texts whose template names none (None or "") are taken as they are. Those of scores return a ParsedScore, those
    of preferences `A`, `B` or `tie`.

    Raises:
        InputError: there is no such parser of what is made, or a score or a preference is to be read by none.
    """
    parsers = PARSERS[makes]
    parser = parsers.get(name or "identity")
    if parser is None:
        raise InputError(
            Fault(
                file="the table of templates",
                column="parser",
                problem=f"there is no parser {name!r} of a {makes}." if name else "no parser is named.",
                cure=f"Use one of: {', '.join(parsers)}.",
            )
        )
    return _of_answers(parser)


def unknown_parser(stage: str, name: str, allowed: Collection[str]) -> str:
    """What is wrong with the name of a parser that is none of those allowed, as a sentence."""
    if name in PREFERENCE_PARSERS:
        return f"the parser {name!r} says which of two texts is better, and the stage {stage!r} makes no preferences."
    if set(allowed) <= set(PREFERENCE_PARSERS):
        return f"the stage {stage!r} makes preferences, and {name!r} is no parser of preferences."
    return f"there is no parser {name!r} for the stage {stage!r}."


def _of_answers(parser: Parser) -> Parser:
    @wraps(parser)
    def parse(reply: str, context: ParserContext) -> str:
        return parser(answer_of(reply), context)

    return parse
