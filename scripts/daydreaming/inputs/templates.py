"""Templates: their text, compiled with Jinja2 once, rendered many times. An undefined name is always an error.

Names that a template can use: draft `concepts` (a list; each has `concept_id`, `name`, `content`); essay `links_block`
and `draft_block`; evaluation `response`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.inputs.records import Template

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template ready to render, with the name (mostly its path) that messages about it use."""

    name: str
    program: jinja2.Template


def template_name(template: Template) -> str:
    """Return what to call a template's text in a message: its path, or where its row is."""
    return template.path or f"{template.template_id} (inline content of the {template.stage} template)"


def load_template_text(template: Template) -> str:
    """Return a template's text: its inline content, or its file's.

    Raises GenerationError (kind `template`) naming a file that is missing, not readable or not UTF-8.
    """
    if template.content is not None:
        return template.content
    if template.path is None:
        raise _template_error(f"the {template.stage} template {template.template_id!r} has no text. Write one.")
    try:
        return Path(template.path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _template_error(f"{template.path} is not UTF-8 text ({error.reason}). Save it as UTF-8.") from error
    except OSError as error:
        raise _template_error(f"{template.path} cannot be read ({error.strerror}). Put the file there.") from error


def compile_template(source: str, name: str) -> CompiledTemplate:
    """Compile a template's text. Costs milliseconds: keep the result for as long as the text is the same.

    Raises GenerationError (kind `template`) with name, line and reason for bad syntax and for tags that load other
    templates.
    """
    from jinja2 import Template as Program
    from jinja2 import TemplateSyntaxError, nodes

    environment = _environment()
    try:
        tree = environment.parse(source, name)
        code = environment.compile(source, name, name)
    except TemplateSyntaxError as error:
        cure = "Correct the Jinja syntax there."
        raise _template_error(f"{name}, line {error.lineno}: {_sentence(error.message)} {cure}") from error
    # Jinja and Python give up on what is nested thousands of times, each in its own way.
    except (RecursionError, MemoryError, SyntaxError) as error:
        problem = "its expressions or blocks are too long or nested too deep to be read. Nest at most a hundred."
        raise _template_error(f"{name}: {problem}") from error
    loading = next(tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)), None)
    if loading is not None:
        problem = "a template cannot include, import or extend another one. Copy the text into this template."
        raise _template_error(f"{name}, line {loading.lineno}: {problem}")
    return CompiledTemplate(name, Program.from_code(environment, code, environment.make_globals(None)))


def render(compiled: CompiledTemplate, values: Mapping[str, Any]) -> str:
    """Fill in a compiled template.

    Raises GenerationError (kind `template`) with the template's name, the line and the undefined name, or whatever
    else went wrong there.
    """
    from jinja2 import UndefinedError

    try:
        return compiled.program.render(values)
    except UndefinedError as error:
        cure = f"This template can use {', '.join(sorted(values))}: correct the name."
        raise _template_error(f"{_place(compiled, error)}: {_sentence(error.message)} {cure}") from error
    # The expressions in a template are a program of the user's: they can raise anything.
    except Exception as error:
        problem = _sentence(f"{type(error).__name__}: {error}")
        raise _template_error(f"{_place(compiled, error)}: {problem} Correct the expression there.") from error


def used_names(source: str) -> set[str]:
    """Return the names of values that a template, whose syntax is right, asks for."""
    from jinja2 import meta

    return meta.find_undeclared_variables(_environment().parse(source))


@cache
def _environment() -> jinja2.Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)


def _place(compiled: CompiledTemplate, error: Exception) -> str:
    line = None
    step: TracebackType | None = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == compiled.name:
            line = step.tb_lineno
        step = step.tb_next
    return compiled.name if line is None else f"{compiled.name}, line {line}"


def _sentence(text: str | None) -> str:
    text = " ".join((text or "unknown error").split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _template_error(message: str) -> GenerationError:
    return GenerationError(FailureKind.TEMPLATE, message)
