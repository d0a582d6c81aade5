"""YAML read as texts with the line of each: an id such as `007` or `on` stays what its author wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.inputs.cohort_spec.records import Place

if TYPE_CHECKING:
    from yaml import Node

_DEEPEST = 20
_PLAIN_TAG = "tag:yaml.org,2002:"
Step = str | int


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file: mappings, lists, texts and None, and the line of each place (a path of keys and indices)."""

    file: str
    value: Any
    lines: dict[tuple[Step, ...], int]

    def place(self, *steps: Step) -> Place:
        """The place of a path, or of the deepest part of it that exists: steps that do not are left out."""
        path: tuple[Step, ...] = ()
        for step in steps:
            if (*path, step) in self.lines:
                path = (*path, step)
        return Place(self.file, key=_dotted(path), line=self.lines.get(path))


def read_document(path: Path) -> Document:
    """Read a YAML (or JSON) file; raise InputError with the line where it cannot be read."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(Fault(str(path), f"is not UTF-8 text ({error.reason}).", "Save it as UTF-8.")) from error
    except OSError as error:
        raise InputError(Fault(str(path), f"cannot be read ({error.strerror}).", "Make it a readable file.")) from error
    # The parser in C, where PyYAML has it, is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise InputError(Fault(str(path), f"is not YAML: {error.problem}.", "Correct the line.", line=line)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(Fault(str(path), f"is not YAML: {error}.", "Correct the file.")) from error
    reading = _Reading(str(path))
    value = reading.value(node, ()) if node is not None else None
    if reading.faults:
        raise InputError(reading.faults)
    return Document(str(path), value, reading.lines)


class _Reading:
    """One pass over the nodes of a file."""

    def __init__(self, file: str):
        self.faults: list[Fault] = []
        self.lines: dict[tuple[Step, ...], int] = {}
        self._file = file

    def value(self, node: Node, path: tuple[Step, ...]) -> Any:
        """The plain value of a node; its lines and faults are kept."""
        import yaml

        self.lines[path] = node.start_mark.line + 1
        if len(path) > _DEEPEST:
            self._add(node, path[:3], "is nested too deep.", f"Use at most {_DEEPEST} levels.")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if not str(node.tag).startswith(_PLAIN_TAG):
            self._add(node, path, f"the tag {node.tag} has no meaning here.", "Take it out.")
        return None if node.tag == f"{_PLAIN_TAG}null" else str(node.value).strip()

    def _mapping(self, node: Node, path: tuple[Step, ...]) -> dict[str, Any]:
        import yaml

        read: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._add(key, path, "a key is a list or a mapping.", "Write a name.")
                continue
            name = str(key.value)
            if name in read:
                problem = f"the key {name!r} stands here again, and first in line {self.lines[*path, name]}."
                self._add(key, (*path, name), problem, "Keep one of the two.")
                continue
            read[name] = self.value(item, (*path, name))
            # The key tells where something is; its value may begin a line below.
            self.lines[*path, name] = key.start_mark.line + 1
        return read

    def _add(self, node: Node, path: Sequence[Step], problem: str, cure: str) -> None:
        self.faults.append(Fault(self._file, problem, cure, key=_dotted(path), line=node.start_mark.line + 1))


def _dotted(path: Sequence[Step]) -> str | None:
    """A path as messages show it: without the index in a list, for the line says that."""
    return ".".join(step for step in path if isinstance(step, str)) or None
