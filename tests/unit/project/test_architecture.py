"""Snakemake is used through its own doors, and the library does without it. The layers of the rooms: `lint-imports`."""

from __future__ import annotations

from pathlib import Path

import pytest
from architecture_fixtures import (
    as_python,
    changes_in_snakemake,
    imported_modules,
    private_imports,
    readings_of_the_command_line,
    source_files,
    tree_of,
)

PROJECT = Path(__file__).resolve().parents[3]
SOURCES = source_files(PROJECT)
LIBRARY = PROJECT / "scripts" / "daydreaming"

# Files that still reach into Snakemake. The list only ever gets shorter: a file that is mended must be struck from it.
KNOWN_OFFENDERS: set[str] = set()
# Only the tests' own start of programs in forked processes uses the command line. Nothing of the project reads it.
STARTS_FORKED_PROGRAMS = ("tests/program_server.py", "tests/forked_python.py")


def name(file: Path) -> str:
    return str(file.relative_to(PROJECT))


def offences(file: Path) -> list[str]:
    tree = tree_of(file)
    found = [*private_imports(tree), *changes_in_snakemake(tree)]
    return found if name(file) in STARTS_FORKED_PROGRAMS else [*found, *readings_of_the_command_line(tree)]


@pytest.mark.parametrize("file", [file for file in SOURCES if name(file) not in KNOWN_OFFENDERS], ids=name)
def test_snakemake_is_used_through_its_public_modules_and_left_as_it_is(file: Path):
    assert offences(file) == []


def test_the_list_of_known_offenders_names_no_file_that_is_mended_or_gone():
    offenders = {name(file) for file in SOURCES if name(file) in KNOWN_OFFENDERS and offences(file)}
    assert offenders == KNOWN_OFFENDERS


@pytest.mark.parametrize("file", [file for file in SOURCES if LIBRARY in file.parents], ids=name)
def test_the_library_does_not_know_snakemake(file: Path):
    assert [module for module in imported_modules(tree_of(file)) if module.startswith("snakemake")] == []


OFFENCES = {
    "from snakemake.jobs import Job": "imports snakemake.jobs",
    "import snakemake.scheduling.job_scheduler as s": "imports snakemake.scheduling.job_scheduler",
    "from snakemake import dag": "imports snakemake.dag",
    "import importlib\nimportlib.import_module('snakemake.dag')": "imports snakemake.dag",
    "workflow.scheduler.update_dynamic = None": "assigns to workflow.scheduler.update_dynamic",
    "def f(self):\n    self.workflow.persistence.__class__ = Other": "assigns to self.workflow.persistence.__class__",
    "workflow.cores += 1": "assigns to workflow.cores",
    "for job in jobs:\n    job.log, x = [], 1": "assigns to job.log",
    "from snakemake.api import SnakemakeApi as Api\nsetattr(Api, 'dag', 1)": "assigns to Api",
    "import snakemake.utils\nsnakemake.utils.min_version = None": "assigns to snakemake.utils.min_version",
    "import snakemake.utils as u\ndel u.min_version": "assigns to u.min_version",
    "from snakemake.logging import logger\nlogger.handlers.clear()": "uses logger.handlers",
    "import sys\nprint(sys.argv[1:])": "reads sys.argv",
    "from sys import orig_argv": "reads sys.orig_argv",
}
OFFENCES_IN_RULES = {
    "onstart:\n    dag.jobs = []": "assigns to dag.jobs",
    "rule a:\n    output: 'b'\n    run:\n        workflow.x = 1": "assigns to workflow.x",
    "rule a:\n    params:\n        # why\n        p=lambda w: sys.argv,  # what\n    shell: 'b'": "reads sys.argv",
}


@pytest.mark.parametrize(("source", "offence"), (OFFENCES | OFFENCES_IN_RULES).items())
def test_an_offence_in_a_snakemake_file_is_found(source: str, offence: str, tmp_path: Path):
    assert offences_in(tmp_path / "one.smk", source) == [offence]


@pytest.mark.parametrize(("source", "offence"), OFFENCES.items())
def test_an_offence_in_a_python_file_is_found(source: str, offence: str, tmp_path: Path):
    assert offences_in(tmp_path / "one.py", source) == [offence]


def offences_in(file: Path, source: str) -> list[str]:
    file.write_text(source, encoding="utf-8")
    tree = tree_of(file)
    return [*private_imports(tree), *changes_in_snakemake(tree), *readings_of_the_command_line(tree)]


INNOCENT = """
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import RerunTrigger
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


include: "rules/common.smk"


configfile: "config.yaml" if True else "other.yaml"
self.scheduler = 1
workflow_name = "a"
logger.info("b")


rule all:
    default_target: True
    input:
        parsed_texts(*STAGES),
        results=[file for file in FILES],  # two ) of them
    threads: 0
    shell:
        RUN_STAGE + " --stage draft"
        " --gen-id={wildcards.gen_id}"


use rule * from other as other_*
localrules:
    all,


onsuccess:
    logger.info("done")
"""


def test_public_modules_and_plain_rules_are_no_offence(tmp_path: Path):
    assert offences_in(tmp_path / "Snakefile", INNOCENT) == []


def test_a_snakemake_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path):
    file = tmp_path / "odd.smk"
    file.write_text("unheard_of:\n    a b\n", encoding="utf-8")
    with pytest.raises(SyntaxError, match=r"odd\.smk"):
        tree_of(file)


def test_lines_keep_their_numbers_and_names():
    assert (
        as_python("rule a:\n    input: b\n    run:\n        c\n")
        == "if True:\n    input( b)\n    if True:\n        c\n"
    )
