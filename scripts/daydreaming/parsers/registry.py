"""Which parsers there are: by stage, then by the name that a template catalog gives in its column `parser`.

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
        "draft": MappingProxyType(
            {"identity": identity, "essay_idea_last": essay_idea_last, "essay_block": essay_block}
        ),
        "essay": MappingProxyType({"identity": identity}),
        "evaluation": MappingProxyType(
            {"in_last_line": in_last_line, "complex": complex_score, "json_score": json_score}
        ),
    }
)

PREFERENCE_PARSERS: Mapping[str, Parser] = MappingProxyType({"preference": preference})


def parser_names(stage: str, *, makes_preferences: bool = False) -> tuple[str, ...]:
    """Return the names that a template of this stage may give as its parser."""
    return tuple(_parsers(stage, makes_preferences))


def get_parser(stage: str, name: str | None, *, makes_preferences: bool = False) -> Parser:
    """Return the parser of this name, which is given replies and reads their answers, without the model's thoughts.

    Drafts and essays that name none (None or "") are taken as they are. Evaluations return a ParsedScore, stages that
    make preferences `A`, `B` or `tie`.

    Raises:
        InputError: the stage has no such parser, or one that makes scores or preferences names none.
    """
    parsers = _parsers(stage, makes_preferences)
    parser = parsers.get(name or "identity")
    if parser is None:
        raise InputError(
            Fault(
                file=f"{stage}_templates.csv",
                column="parser",
                problem=unknown_parser(stage, name, parsers) if name else "no parser is named.",
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


def _parsers(stage: str, makes_preferences: bool) -> Mapping[str, Parser]:
    return PREFERENCE_PARSERS if makes_preferences else PARSERS[stage]


def _of_answers(parser: Parser) -> Parser:
    @wraps(parser)
    def parse(reply: str, context: ParserContext) -> str:
        return parser(answer_of(reply), context)

    return parse
