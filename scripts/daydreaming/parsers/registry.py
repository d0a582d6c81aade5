"""Which parsers there are: by stage, then by the name that a template catalog gives in its column `parser`.

To add one, write a function of the shape `contract.Parser` and enter it here (see docs/parsers.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from types import MappingProxyType

from daydreaming.base.errors import Fault, InputError
from daydreaming.parsers.contract import Parser, ParserContext, identity
from daydreaming.parsers.draft import essay_block, essay_idea_last
from daydreaming.parsers.evaluation import complex_score, in_last_line
from daydreaming.parsers.json_score import json_score
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


def parser_names(stage: str) -> tuple[str, ...]:
    """Return the names that a template of this stage may give as its parser."""
    return tuple(PARSERS[stage])


def get_parser(stage: str, name: str | None) -> Parser:
    """Return the parser of this name, which is given replies and reads their answers, without the model's thoughts.

    Drafts and essays that name none (None or "") are taken as they are. Evaluations return a ParsedScore.

    Raises:
        InputError: the stage has no such parser, or an evaluation names none.
    """
    parsers = PARSERS[stage]
    parser = parsers.get(name or "identity")
    if parser is None:
        raise InputError(
            Fault(
                file=f"{stage}_templates.csv",
                column="parser",
                problem=f"there is no parser {name!r} for the stage {stage!r}." if name else "no parser is named.",
                cure=f"Use one of: {', '.join(parsers)}.",
            )
        )
    return _of_answers(parser)


def _of_answers(parser: Parser) -> Parser:
    @wraps(parser)
    def parse(reply: str, context: ParserContext) -> str:
        return parser(answer_of(reply), context)

    return parse
