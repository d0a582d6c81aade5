"""Parsers: from a model's reply to the text that the next stage, or the score, is made of.

Public: `registry.get_parser`, `registry.parser_names`, `contract.ParserContext`.
"""

from daydreaming.parsers.contract import ParsedScore, Parser, ParserContext
from daydreaming.parsers.registry import get_parser, parser_names
from daydreaming.parsers.thoughts import answer_of

__all__ = ["ParsedScore", "Parser", "ParserContext", "answer_of", "get_parser", "parser_names"]
