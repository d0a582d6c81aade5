"""Templates: their text, compiled with Jinja2 once, rendered many times. An undefined name is always an error.

Names that a template can use are those of its stage: `inputs.stages.Stage.parent_names` and `names_of_seen`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    # The files whose lines its errors can name.
    files: tuple[str, ...] = ()


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
        raise template_error(f"the {template.stage} template {template.template_id!r} has no text. Write one.")
    try:
        return Path(template.path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise template_error(f"{template.path} is not UTF-8 text ({error.reason}). Save it as UTF-8.") from error
    except OSError as error:
        raise template_error(f"{template.path} cannot be read ({error.strerror}). Put the file there.") from error


def compile_template(
    source: str, name: str, *, line: int = 1, shared: Mapping[str, tuple[str, str]] | None = None
) -> CompiledTemplate:
    """Compile a template's text. Costs milliseconds: keep the result for as long as the text is the same.

    `line` is where the text begins in its file; `shared` has file and text of each one that it may include, by name.
    Raises GenerationError (kind `template`) with name, line and reason for bad syntax and for tags that load others.
    """
    from jinja2 import Template as Program

    environment = _environment() if not shared else _environment_with(shared)
    shifted = _shifted(source, line)
    for tag_line, loaded in loading_tags(source, name, line=line):
        if loaded not in (shared or {}):
            problem = f"includes {loaded!r}, which is no text of its shared folder. Write it there."
            raise template_error(f"{name}, line {tag_line}: {problem}")
    with _syntax_errors_told(name):
        code = environment.compile(shifted, name, name)
    files = (name, *(path for path, _ in (shared or {}).values()))
    return CompiledTemplate(name, Program.from_code(environment, code, environment.make_globals(None)), files)


def loading_tags(source: str, name: str, *, line: int = 1) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each text that a template includes or imports.

    Raises GenerationError (kind `template`) for bad syntax, `extends`, and names that are not written out: what a
    prompt is made from has to be known before it is rendered. To parse a text takes milliseconds, and hardly any
    includes another one: a text without such a word is not parsed.
    """
    if not any(word in source for word in ("include", "import", "extends")):
        return
    from jinja2 import nodes

    with _syntax_errors_told(name):
        tree = _environment().parse(_shifted(source, line), name)
        tags = list(tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)))
    for tag in tags:
        place = f"{name}, line {tag.lineno}"
        if isinstance(tag, nodes.Extends):
            problem = "a template cannot extend another one. Include shared texts, or copy the text into this template."
            raise template_error(f"{place}: {problem}")
        loaded = tag.template.value if isinstance(tag.template, nodes.Const) else None  # type: ignore[attr-defined]
        if not isinstance(loaded, str) or getattr(tag, "ignore_missing", False):
            problem = "what is included has to be one name in quotation marks, of a text that is there"
            raise template_error(f'{place}: {problem}. Write it as in {{% include "scale.txt" %}}.')
        yield tag.lineno, loaded


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
        raise template_error(f"{_place(compiled, error)}: {_sentence(error.message)} {cure}") from error
    # The expressions in a template are a program of the user's: they can raise anything.
    except Exception as error:
        problem = _sentence(f"{type(error).__name__}: {error}")
        raise template_error(f"{_place(compiled, error)}: {problem} Correct the expression there.") from error


def used_names(*sources: str) -> set[str]:
    """Return the names of values that texts, whose syntax is right, ask for."""
    from jinja2 import meta

    return set[str]().union(*(meta.find_undeclared_variables(_environment().parse(source)) for source in sources))


@contextmanager
def _syntax_errors_told(name: str) -> Iterator[None]:
    from jinja2 import TemplateSyntaxError

    try:
        yield
    except TemplateSyntaxError as error:
        cure = "Correct the Jinja syntax there."
        raise template_error(f"{name}, line {error.lineno}: {_sentence(error.message)} {cure}") from error
    # Jinja and Python give up on what is nested thousands of times, each in its own way.
    except (RecursionError, MemoryError, SyntaxError) as error:
        problem = "its expressions or blocks are too long or nested too deep to be read. Nest at most a hundred."
        raise template_error(f"{name}: {problem}") from error


def _shifted(source: str, line: int) -> str:
    """A text whose lines have their numbers in the file: a comment, which renders to nothing, stands before it."""
    return source if line <= 1 else "{#" + "\n" * (line - 1) + "#}" + source


@cache
def _environment() -> jinja2.Environment:
    return _environment_with({})


def _environment_with(shared: Mapping[str, tuple[str, str]]) -> jinja2.Environment:
    """An environment in which a template can load these texts, by name, and no others."""
    from jinja2 import FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from daydreaming.inputs.message_sections import MessageSections

    texts = dict(shared)

    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        return (texts[name][1], texts[name][0], lambda: True) if name in texts else None

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
        loader=FunctionLoader(load),
        extensions=[MessageSections],
    )


def _place(compiled: CompiledTemplate, error: Exception) -> str:
    place = compiled.name
    step: TracebackType | None = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in compiled.files:
            place = f"{step.tb_frame.f_code.co_filename}, line {step.tb_lineno}"
        step = step.tb_next
    return place


def _sentence(text: str | None) -> str:
    text = " ".join((text or "unknown error").split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def template_error(message: str) -> GenerationError:
    """The failure of a template."""
    return GenerationError(FailureKind.TEMPLATE, message)
