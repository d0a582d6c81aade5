"""How often a process that holds a graph is searched for garbage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SNAKEFILE = """\
import gc
from daydreaming.workflow.garbage_collection import search_seldom
search_seldom()
print("threshold", gc.get_threshold()[0], file=open("threshold.txt", "w"))
rule all:
"""
AS_A_LIBRARY = """\
import gc
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ResourceSettings
before = gc.get_threshold()
with SnakemakeApi() as snakemake:
    snakemake.workflow(resource_settings=ResourceSettings(cores=1), snakefile=Path("Snakefile")).dag()
assert gc.get_threshold() == before
"""
USUAL = "threshold 700"


@pytest.mark.parametrize(
    ("command", "is_usual"),
    [
        ([Path(sys.executable).with_name("snakemake"), "-n"], False),
        ([sys.executable, "-m", "snakemake", "-n"], False),
        ([sys.executable, "-c", AS_A_LIBRARY], True),
    ],
)
def test_only_a_process_of_snakemakes_own_is_searched_seldom(
    tmp_path: Path, command: list[str | Path], is_usual: bool
) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert run.returncode == 0, run.stderr
    assert ((tmp_path / "threshold.txt").read_text().strip() == USUAL) is is_usual
