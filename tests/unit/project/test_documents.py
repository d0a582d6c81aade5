"""What the documents name exists: files, links, scripts, make targets, keys."""

import json
import re
from pathlib import Path

import pytest

from daydreaming.base.errors import FailureKind
from daydreaming.parsers import parser_names
from daydreaming.parsers.registry import PARSERS
from daydreaming.results.score_table import COLUMNS
from daydreaming.results.verdicts.preference_tables import table_files
from daydreaming.results.verdicts.verdict_table import COLUMNS as VERDICT_COLUMNS

PROJECT = Path(__file__).resolve().parents[3]
FRONT = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md")]
DOCUMENTS = [*FRONT, *sorted((PROJECT / "docs").glob("*.md"))]
NAMES = [str(document.relative_to(PROJECT)) for document in DOCUMENTS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_links_lead_to_files(document):
    links = re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).is_file()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_links_into_a_page_lead_to_a_heading(document):
    links = re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", document.read_text())
    missing = [
        (page, place) for page, place in links if place not in places(document.parent / page if page else document)
    ]
    assert missing == []


def places(document: Path) -> set[str]:
    """The names of a page's headings, as links use them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_front_page_of_the_documents_leads_to_each_of_them():
    front = (PROJECT / "docs" / "README.md").read_text()
    pages = {document.name for document in (PROJECT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page}" not in front} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_scripts_exist(document):
    scripts = re.findall(r"\bscripts/[\w/]+\.py\b", document.read_text())
    assert [script for script in scripts if not (PROJECT / script).is_file()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_make_targets_exist(document):
    makefiles = (PROJECT / "Makefile").read_text() + (PROJECT / "benchmarks" / "bench.mk").read_text()
    targets = set(re.findall(r"^([\w-]+):", makefiles, re.MULTILINE))
    # Commands stand in backticks or on a line of their own; elsewhere "make" is a word like any other.
    named = re.findall(r"(?:`|^    )(?:time )?make ([\w-]+)", document.read_text(), re.MULTILINE)
    assert set(named) <= targets


def test_the_document_on_outputs_names_every_key_of_the_metadata_and_every_column_of_the_scores():
    text = (PROJECT / "docs" / "outputs.md").read_text()
    keys = json.loads((PROJECT / "schemas" / "metadata.schema.json").read_text())["properties"]
    assert [name for name in (*keys, *COLUMNS) if f"`{name}`" not in text] == []


def test_the_document_on_preferences_names_every_column_of_the_verdicts_and_every_table():
    text = (PROJECT / "docs" / "preferences.md").read_text()
    names = [*VERDICT_COLUMNS, *(path.name for path in table_files(PROJECT))]
    assert [name for name in names if f"`{name}`" not in text] == []
    assert [path.name for path in table_files(PROJECT) if not (PROJECT / "report" / f"{path.stem}.rst").is_file()] == []


def test_the_document_on_operation_names_every_kind_of_failure():
    text = (PROJECT / "docs" / "operation.md").read_text()
    assert [kind.value for kind in FailureKind if f"`{kind}`" not in text] == []


def test_the_document_on_parsers_names_every_parser():
    text = (PROJECT / "docs" / "parsers.md").read_text()
    names = {name for makes in PARSERS for name in parser_names(makes)}
    assert {name for name in names if f"`{name}`" not in text} == set()
