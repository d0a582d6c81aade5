"""The walk of docs/cohorts.md, from an empty spec to a study with a revision and pairs: each of its commands is run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from daydreaming.cohort.membership import read_generations
from daydreaming.results.score_table import read_scores
from provider import Provider
from studies import Study
from studies.study import TARGETS

PROJECT = Path(__file__).resolve().parents[2]
CHAPTER = re.compile(r"## 6\. .*?(?=\n## )", re.DOTALL)
BLOCK = re.compile(r"\n((?:    .*\n|\n(?=    ))+)")


def blocks() -> list[str]:
    """The commands of the walk, block by block."""
    chapter = CHAPTER.search((PROJECT / "docs" / "cohorts.md").read_text(encoding="utf-8"))
    assert chapter is not None
    return [block.replace("\n    ", "\n").removeprefix("    ") for block in BLOCK.findall(chapter[0])]


def run(study: Study, block: str) -> str:
    """Run a block: the workflow's own commands on the study's folder, all else by the shell."""
    output, rest = "", []
    for line in block.splitlines():
        if line.startswith("snakemake "):
            shell(study, rest)
            rest = []
            arguments = shlex.split(line)[1:]
            # Without a target all is made; the tests' own `run` would stop at the scores.
            output += study.run(*([] if arguments[0] in TARGETS else ["all"]), *arguments).output
        elif line.startswith("python scripts/"):
            _, program, *arguments = shlex.split(line)
            shell(study, rest)
            rest = []
            output += study.script(Path(program).name, *arguments).output
        else:
            rest.append(line)
    shell(study, rest)
    return output


def shell(study: Study, lines: list[str]) -> None:
    subprocess.run(["bash", "-ec", "\n".join(lines)], cwd=study.folder, check=True)


@pytest.fixture
def clone(tmp_path: Path, provider: Provider) -> Study:
    """The inputs of the clone. The scripted provider answers in place of the embedded model, for it is quicker."""
    shutil.copytree(PROJECT / "data" / "1_raw", tmp_path / "data" / "1_raw")
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    config["endpoints"]["embedded"] = {"kind": "openai", "base_url": provider.base_url, "max_concurrency": 8}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return Study(tmp_path, provider)


def test_the_commands_make_a_study_with_a_revision_and_pairs(clone: Study):
    output = "".join(run(clone, block) for block in blocks())
    counts = Counter(row.stage for row in read_generations(clone.paths.cohort("revised").membership))
    assert counts == {"draft": 3, **dict.fromkeys(("essay", "evaluation", "critique", "revision"), 6)} | {
        "second_evaluation": 6,
        "comparison": 6,
    }
    assert output.count("Run of cohort revised") == 1
    rows = read_scores(clone.folder / "revised_scores.csv")
    assert Counter(row.text_stage for row in rows if row.score is not None) == {"essay": 6, "revision": 6}
    reports = clone.paths.cohort("revised").reports
    assert "revision:answer-the-critic" in (reports / "report.html").read_text(encoding="utf-8")
    assert len((reports / "parsed_preferences.csv").read_text(encoding="utf-8").splitlines()) == 7
