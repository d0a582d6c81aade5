"""A project, a folder of the original project beside it, and ways to bring that in."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from inputs_fixtures import settings_with

from daydreaming.base.errors import Fault
from daydreaming.importing.study_import import ImportPlan, plan_import
from daydreaming.importing.writing import write_import
from studies.original import COHORT

SOURCE = Path("old")
SETTINGS = {"cohort": COHORT, "stages": {"draft": {"min_lines": 2}}}


def plan(encoding: str | None = None, **config: object) -> ImportPlan:
    return plan_import(SOURCE, settings_with(**(SETTINGS | config)), encoding)


def bring_in(encoding: str | None = None) -> ImportPlan:
    planned = plan(encoding)
    assert write_import(planned) == []
    return planned


def only_fault(encoding: str | None = None) -> Fault:
    (fault,) = plan(encoding).faults
    return fault


def snapshot(folder: Path) -> dict[str, str]:
    """Digests and times of all files, and all folders."""
    return {str(path): _state(path) for path in sorted(folder.rglob("*"))}


def _state(path: Path) -> str:
    if path.is_dir():
        return "folder"
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"


def ids(keys: dict) -> list[str]:
    return sorted(gen_id for _, gen_id in keys)


def table_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
