"""What the rooms of the library say of themselves holds, and docs/architecture.md knows them all."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
LIBRARY = PROJECT / "scripts" / "daydreaming"
ROOMS = sorted(file.parent for file in LIBRARY.glob("*/__init__.py"))
PUBLIC = re.compile(r"`(?P<module>\w+(?:\.\w+)*)\.(?P<name>\w+)`")


def definitions(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_names_public_functions_that_exist(room: Path):
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    named = PUBLIC.findall(text)
    assert named
    missing = [
        f"{module}.{name}" for module, name in named if name not in definitions(room / f"{module.replace('.', '/')}.py")
    ]
    assert missing == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_the_document_on_the_architecture_has_a_chapter_for_each_room(room: Path):
    chapters = re.findall(r"^#+ .*$", (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert any(f"{room.name}/" in chapter for chapter in chapters)
