"""All texts that a template is rendered from: its body, its system message, and the shared texts that it includes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from daydreaming.base.errors import FailureKind, GenerationError, InputError
from daydreaming.inputs.front_matter import TemplateParts, template_parts
from daydreaming.inputs.records import Template
from daydreaming.inputs.templates import load_template_text, loading_tags, template_error, template_name


class SharedText(NamedTuple):
    """A text of the shared folder, by the name that templates include it under."""

    name: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """What a prompt is rendered from. `line` and `system_line` say where the texts begin in the template's file."""

    name: str
    body: str
    line: int = 1
    system: str | None = None
    system_line: int = 1
    shared: tuple[SharedText, ...] = ()

    @property
    def content(self) -> str:
        """Everything that is rendered, as one text; that of a template without more is its body, to the last byte."""
        system = [] if self.system is None else [f"\0system\0{self.system}"]
        return "".join([self.body, *system, *(f"\0shared\0{one.name}\0{one.text}" for one in self.shared)])

    @property
    def digest(self) -> str:
        """A digest of what is rendered: 16 hexadecimal characters of its SHA-256."""
        return hashlib.sha256(self.content.encode(errors="surrogatepass")).hexdigest()[:16]


def load_template_source(template: Template) -> TemplateSource:
    """Read the texts that a template is rendered from, as they are now.

    Raises GenerationError (kind `template`) for a text that cannot be read, front matter that has a fault, and an
    include that names no text of the shared folder.
    """
    return with_shared_texts(read_source(template), template.shared_folder)


def read_source(template: Template) -> TemplateSource:
    """Read a template's own text, without what it includes. Raises as `load_template_source` does."""
    name = template_name(template)
    try:
        parts = template_parts(load_template_text(template), name)
    except InputError as error:
        raise GenerationError(FailureKind.TEMPLATE, str(error)) from error
    system = parts.front_matter.system if parts.front_matter else None
    return TemplateSource(name, parts.body, parts.line, system, _system_line(parts))


def with_shared_texts(source: TemplateSource, folder: Path | None) -> TemplateSource:
    """Return a source with the texts that it includes, and those that they include, in the order of their names."""
    own = [(source.name, source.body, source.line), (f"{source.name}", source.system or "", source.system_line)]
    found: dict[str, SharedText] = {}
    for name, text, line in own:
        _add_included(name, text, line, folder, found, ())
    if not found:
        return source
    shared = tuple(found[name] for name in sorted(found))
    return TemplateSource(source.name, source.body, source.line, source.system, source.system_line, shared)


def _add_included(
    where: str, text: str, line: int, folder: Path | None, found: dict[str, SharedText], through: tuple[str, ...]
) -> None:
    for tag_line, name in loading_tags(text, where, line=line):
        place = f"{where}, line {tag_line}"
        if name in through:
            raise template_error(
                f"{place}: {name!r} includes itself ({' -> '.join((*through, name))}). Cut the circle."
            )
        if name not in found:
            found[name] = _shared_text(name, folder, place)
        _add_included(found[name].path, found[name].text, 1, folder, found, (*through, name))


def _shared_text(name: str, folder: Path | None, place: str) -> SharedText:
    """Read a text of the shared folder. Nothing outside of it is read, also not through a link."""
    if folder is None:
        raise template_error(f"{place}: this template has no folder of shared texts to include {name!r} from.")
    path = folder / name
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute() or "\0" in name:
        raise template_error(f"{place}: {name!r} does not lie in {folder}. Put the text there and name it by its path.")
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise template_error(f"{place}: {path} leads out of {folder}. Put the text itself there.")
        return SharedText(name, str(path), path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise template_error(f"{path} is not UTF-8 text ({error.reason}). Save it as UTF-8.") from error
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "a circle of links"
        raise template_error(f"{place}: {path} cannot be read ({why}). Write the shared text there.") from error


def _system_line(parts: TemplateParts) -> int:
    return parts.lines.get("system", 1)
