"""A data folder of the original project: where its files lie and how they are read. Nothing in it is ever written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.inputs.tables import Row, scan_text

_FOLDERS = ("gens", "1_raw", "cohorts")
_TEMPLATE_FOLDERS = ("templates", "generation_templates")


@dataclass(frozen=True)
class SourceFolder:
    """The folder, as it was named; `encoding` is that of files that are not UTF-8, None where there are to be none."""

    root: Path
    encoding: str | None = None

    @classmethod
    def open(cls, folder: Path, encoding: str | None = None) -> SourceFolder:
        """Find the data folder: the one that is given, or `data` in it. Raises InputError for any other folder."""
        for root in (folder, folder / "data"):
            if any((root / name).is_dir() for name in _FOLDERS):
                return cls(root, encoding)
        problem = f"there is no {' and no '.join(_FOLDERS)} in it, nor in its data."
        raise InputError(Fault(str(folder), problem, "Give the data folder of the project that is to be brought in."))

    def content(self, path: Path) -> bytes:
        """Return the bytes of a text file in UTF-8.

        Raises InputError for a file in another encoding than UTF-8 and the given one, for one that cannot be read, and
        for a link that leads out of the folder.
        """
        if not Path(os.path.realpath(path)).is_relative_to(self._real_root):
            raise InputError(Fault(str(path), "leads out of the folder.", "Replace the link by the file."))
        try:
            content = path.read_bytes()
        except OSError as error:
            problem = f"cannot be read ({error.strerror})."
            raise InputError(Fault(str(path), problem, "Make it a readable file.")) from error
        return content if _is_utf8(content) else self._decoded(path, content).encode()

    def text(self, path: Path) -> str:
        """Return the text of a file, without a byte order mark. Raises InputError as `content`."""
        return self.content(path).decode().removeprefix("\ufeff")

    def table(self, path: Path, required: Sequence[str], verbatim: Sequence[str] = ()) -> list[Row]:
        """Return the rows of a table, none if there is no such file or no row in it. Raises InputError."""
        if not path.exists():
            return []
        rows, faults = scan_text(path, self.text(path), required, verbatim=verbatim)
        if faults and not _has_no_rows(faults):
            raise InputError(faults)
        return rows

    def concepts_table(self) -> Path:
        """Where the concepts are listed: in 1_raw, in earlier folders in 1_raw/concepts."""
        earlier = self.root / "1_raw" / "concepts" / "concepts_metadata.csv"
        path = self.root / "1_raw" / "concepts_metadata.csv"
        return earlier if earlier.exists() and not path.exists() else path

    def templates_table(self, stage: str) -> Path:
        """Where the templates of a stage are listed."""
        return self.root / "1_raw" / f"{stage}_templates.csv"

    def models_table(self) -> Path:
        """Where the models are listed."""
        return self.root / "1_raw" / "llm_models.csv"

    def combo_tables(self) -> list[Path]:
        """Where combos are listed."""
        return [self.root / "2_tasks" / "selected_combo_mappings.csv", self.root / "combo_mappings.csv"]

    def description(self, level: str, concept_id: str) -> Path:
        """Where a concept is described."""
        return self.root / "1_raw" / "concepts" / f"descriptions-{level}" / f"{concept_id}.txt"

    def template_texts(self, stage: str, template_id: str) -> list[Path]:
        """The files that hold the text of a template, in either layout; more than one where both are there."""
        raw, name = self.root / "1_raw", f"{template_id}.txt"
        places = [raw / folder / stage / name for folder in _TEMPLATE_FOLDERS]
        if stage == "evaluation":
            places.append(raw / "evaluation_templates" / name)
        return [place for place in places if place.is_file()]

    @cached_property
    def _real_root(self) -> Path:
        return Path(os.path.realpath(self.root))

    def _decoded(self, path: Path, content: bytes) -> str:
        if self.encoding is None:
            problem = f"is not UTF-8 text ({_first_other_byte(content)})."
            raise InputError(Fault(str(path), problem, "Say in which encoding it is, as in `--encoding latin-1`."))
        try:
            return content.decode(self.encoding)
        except (UnicodeError, LookupError) as error:
            problem = f"is neither UTF-8 nor {self.encoding} ({error})."
            raise InputError(Fault(str(path), problem, "Save it as UTF-8, or give its encoding.")) from error


def _has_no_rows(faults: Sequence[Fault]) -> bool:
    return len(faults) == 1 and faults[0].problem == "has a header and no rows."


def _is_utf8(content: bytes) -> bool:
    """Whether bytes are a text in UTF-8; one with NULs is mostly UTF-16."""
    if b"\0" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_other_byte(content: bytes) -> str:
    try:
        content.decode()
        position = content.index(b"\0")
    except UnicodeDecodeError as error:
        position = error.start
    line = content.count(b"\n", 0, position) + 1
    return f"byte 0x{content[position]:02x} in line {line}"
