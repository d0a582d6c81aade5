"""Front matter: what a template says of its requests, in YAML between two lines `---` at the top of its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.inputs.setting_models import FrontMatter

if TYPE_CHECKING:
    import yaml

FENCE = "---"
_AS_IT_IS = f"To send the text as it is, put two lines {FENCE!r} before it."


@dataclass(frozen=True, slots=True)
class TemplateParts:
    """A template's text in its parts: front matter, if it has one, and the body, from the file's line `line` on.

    `lines` has the line of each key of the front matter.
    """

    body: str
    line: int = 1
    front_matter: FrontMatter | None = None
    lines: Mapping[str, int] = field(default_factory=dict)


def template_parts(text: str, name: str) -> TemplateParts:
    """Take a template's text apart. A text whose first line is not `---` is all body, to the last byte.

    `name` is what messages call the text. Raises InputError with every fault, each with its line.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return TemplateParts(text)
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == FENCE), None)
    if end is None:
        problem = f"its front matter begins with {FENCE!r} and does not end."
        raise InputError(Fault(name, problem, f"End it with a second line {FENCE!r}. {_AS_IT_IS}", line=1))
    values, key_lines = _read("\n".join(lines[1:end]), name)
    try:
        front_matter = FrontMatter.model_validate(values)
    except ValidationError as error:
        raise InputError(_value_faults(error, name, key_lines)) from None
    return TemplateParts("\n".join(lines[end + 1 :]), end + 2, front_matter, key_lines)


def as_body(text: str) -> str:
    """The text of a template that is sent as this text is, also where it begins as front matter does."""
    first = next(iter(text.splitlines()), "")
    return f"{FENCE}\n{FENCE}\n{text}" if first.rstrip() == FENCE else text


def _read(text: str, name: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The values of a front matter, and the line of each key in its file."""
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        values = loader.construct_document(node) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"its front matter is not YAML ({error.problem or error.context})."
        raise InputError(Fault(name, problem, f"Correct it. {_AS_IT_IS}", line=_line(mark))) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = f"its front matter is not YAML ({type(error).__name__})."
        raise InputError(Fault(name, problem, f"Correct it. {_AS_IT_IS}", line=1)) from None
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        problem = "its front matter holds no settings."
        raise InputError(Fault(name, problem, f"Write `key: value` lines. {_AS_IT_IS}", line=2))
    if faults := list(_key_faults(node, name)):
        raise InputError(faults)
    lines = {key.value: _value_line(key, value) for key, value in node.value}
    return values, lines


def _key_faults(node: yaml.MappingNode, name: str) -> Iterator[Fault]:
    known = sorted(FrontMatter.model_fields)
    seen: set[str] = set()
    for key, _ in node.value:
        line, word = _line(key.start_mark), str(key.value)
        if word not in known:
            cure = did_you_mean(word, known, f"The keys of front matter are {', '.join(known)}.")
            yield Fault(name, "unknown key in its front matter.", f"{cure} {_AS_IT_IS}", key=word, line=line)
        elif word in seen:
            yield Fault(name, "the key stands twice in its front matter.", "Take one of them out.", key=word, line=line)
        seen.add(word)


def _value_faults(error: ValidationError, name: str, lines: Mapping[str, int]) -> Iterator[Fault]:
    for key, found in {str(one["loc"][0]): one for one in reversed(error.errors(include_url=False))}.items():
        context = found.get("ctx", {})
        problem = context.get("problem") or f"{_shown(found['input'])} is not allowed."
        extra: Any = FrontMatter.model_fields[key].json_schema_extra
        yield Fault(name, problem, context.get("cure") or extra["cure"], key=key, line=lines.get(key))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _line(mark: Any) -> int:
    # The front matter begins in line 2, and a mark counts from 0.
    return 2 if mark is None else int(mark.line) + 2


def _value_line(key: yaml.Node, value: yaml.Node) -> int:
    """The line of a key; of a text below its key (`|` or `>`), the first line of that text, where its errors are."""
    style = getattr(value, "style", None)
    return _line(value.start_mark) + 1 if style in ("|", ">") else _line(key.start_mark)
