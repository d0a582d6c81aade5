"""The tags `system`, `user` and `assistant` of templates. Imported with the first template, for it needs Jinja2."""

from __future__ import annotations

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from daydreaming.inputs.prompts import ROLES, section_begin, section_end


class MessageSections(Extension):
    """Marks where the messages of a prompt begin and end, so that no text that is filled in can make one."""

    tags = set(ROLES)  # noqa: RUF012  (a variable of instances in the class above)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return what a section renders to: its text between two marks."""
        token = next(parser.stream)
        body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        begin = nodes.Output([nodes.TemplateData(section_begin(token.value))], lineno=token.lineno)
        end = nodes.Output([nodes.TemplateData(section_end(token.value))], lineno=token.lineno)
        return [begin, *body, end]
