"""The example notebook runs, on a cohort that was just made; the committed one has outputs (`make notebook`)."""

from __future__ import annotations

import os
from pathlib import Path

import export_fixtures as fixtures
import nbclient
import nbformat
import pytest

from provider import Provider

NOTEBOOK = Path(__file__).resolve().parents[3] / "docs" / "example.ipynb"
LARGEST_BYTES = 40_000


def texts(cell: nbformat.NotebookNode) -> str:
    """What a cell has printed or shown."""
    return "".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])
    )


def test_it_runs_and_shows_what_is_in_the_cohort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    # What the kernel and its runtime files are called by is a folder of this test's own.
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with Provider() as provider:
        fixtures.made_cohort(tmp_path, provider)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    docs = tmp_path / "docs"
    docs.mkdir()
    client = nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(docs)}})
    client.execute(env=dict(os.environ))
    shown = [texts(cell) for cell in notebook.cells if cell.cell_type == "code"]
    assert "4 drafts, 8 essays, 16 evaluations" in shown[0]
    assert "scored    16" in shown[1]
    assert "copied" in shown[2]
    assert "Sleep + " in shown[3]
    assert "evaluation" in shown[4]


def test_the_committed_one_has_been_executed_and_is_small():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(texts(cell) for cell in cells)
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert NOTEBOOK.stat().st_size < LARGEST_BYTES
