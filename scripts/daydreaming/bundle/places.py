"""Where the files of a study may lie, in a bundle and in the folder that it is opened in; nothing else is written."""

from __future__ import annotations

import re
from enum import Enum, auto
from pathlib import PurePosixPath

from daydreaming.bundle.manifest import DATA

# Texts and tables: nothing that Snakemake, Python or a browser would run.
TEXT_SUFFIXES = frozenset({".csv", ".j2", ".jinja", ".jinja2", ".json", ".jsonl", ".md", ".txt", ".yaml", ".yml"})
_TEMPLATE_SUFFIXES = frozenset({".j2", ".jinja", ".jinja2", ".md", ".txt"})
_RECEIPT = ".receipt"
_OF_INPUTS = frozenset({"1_raw", "2_tasks", "combo_mappings.csv"})
# Not `reports` and `made`: what is made of a cohort, and the records that say it is of now.
_OF_COHORT = frozenset({"membership.csv", "manifest.json", "journal.jsonl", "spec", "spec.yaml"})
# What snakemake, git or this project give a meaning.
_OURS = frozenset({"profiles", "rules", "scripts", "bundle", "workflow", "report", "logs", "readme.md"})
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\\:*?\"<>|]")
_LONGEST_NAME, _DEEPEST = 255, 12


class Place(Enum):
    """What lies there: something that a study is made from, a generation or a stored reply, something made of them."""

    INPUT = auto()
    GENERATION = auto()
    RESULT = auto()


def is_plain_name(name: str) -> bool:
    """Whether a name is a path below a folder, on every system: no way up, no root, no drive, nothing hidden."""
    if not name or name.startswith("/") or name.endswith("/") or _UNWANTED.search(name):
        return False
    parts = name.split("/")
    return len(parts) <= _DEEPEST and all(
        part and not part.startswith(".") and not part.endswith((".", " ")) and _size(part) <= _LONGEST_NAME
        for part in parts
    )


def place_of(name: str, cohort: str) -> Place | None:
    """What a file of this name is of a cohort's study: below `data`, or a template's text beside it. None: nothing."""
    if not is_plain_name(name):
        return None
    suffix = PurePosixPath(name).suffix
    is_text = suffix in TEXT_SUFFIXES
    match PurePosixPath(name).parts:
        case (first, *_) if first != DATA:
            return Place.INPUT if suffix in _TEMPLATE_SUFFIXES and first.lower() not in _OURS else None
        case (_, "cohorts", of, "reports", _, *_) if of == cohort:
            return Place.RESULT
        case (_, "cohorts", of, part, *_) if of == cohort and part in _OF_COHORT and is_text:
            return Place.INPUT
        case (_, "gens" | "replies", _, *_) if is_text or suffix == _RECEIPT:
            return Place.GENERATION
        case (_, part, *_) if part in _OF_INPUTS and is_text:
            return Place.INPUT
    return None


def _size(part: str) -> int:
    return len(part.encode("utf-8", "surrogatepass"))
