"""Study folders of any size for the benchmarks: inputs, configuration and a membership, ready to run."""

from __future__ import annotations

import csv
import itertools
import math
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from daydreaming.base.identifiers import generation_id
from daydreaming.base.paths import DataPaths

PROJECT = Path(__file__).resolve().parents[1]
COHORT = "bench"
MODEL, MODEL_STRING = "writer", "bench-model"
LEVEL = "sentence"
# One hundred, so that editing one of them concerns 1% of the chains.
DRAFT_TEMPLATES = 100
SAMPLING = {"temperature": 0.9, "max_tokens": 2000}

DRAFT_TEXT = """\
Style {number}. Here are some concepts:
{{% for concept in concepts %}}
{{{{ concept.name }}}}: {{{{ concept.content }}}}
{{% endfor %}}
Find what they have in common and derive one new idea from it. Write at least three lines between <essay> and </essay>.
"""
ESSAY_TEXT = "Develop this draft into a text for general readers.\n\n{{ draft_block }}\n"
EVALUATION_TEXT = "How new is the idea?\n\n{{ response }}\n\nEnd with a line `SCORE: X`, X being 0 to 10.\n"


@dataclass(frozen=True)
class Study:
    """A study folder of `chains` chains: one draft, one essay, one evaluation each."""

    folder: Path
    chains: int

    @property
    def paths(self) -> DataPaths:
        """The places below its data root."""
        return DataPaths(self.folder / "data")

    @property
    def edited_chains(self) -> int:
        """How many chains `edit_template` concerns."""
        return len(range(0, self.chains, DRAFT_TEMPLATES))

    def edit_template(self, text: str) -> None:
        """Add a line to the draft template of one chain in a hundred."""
        path = self.paths.template_text("draft", _draft_template(0))
        path.write_text(f"{path.read_text(encoding='utf-8')}{text}\n", encoding="utf-8")

    def forget_generations(self, *stages: str) -> None:
        """Move what was made for some stages away, so that it is missing; the stored replies stay."""
        for stage in stages:
            if (self.paths.gens / stage).exists():
                (self.paths.gens / stage).rename(tempfile.mkdtemp(prefix=f"forgotten-{stage}-", dir=self.folder))


def make_study(folder: Path, chains: int, base_url: str, in_flight: int, essay_generator: str = "llm") -> Study:
    """Write a study: each chain has a combo of its own, and one of a hundred draft templates.

    `essay_generator` is `llm` or `copy`. The folder is new, or empty.
    """
    study = Study(folder, chains)
    concepts = [f"concept-{number:03d}" for number in range(_concepts_needed(chains))]
    combos = list(itertools.islice(itertools.combinations(concepts, 2), chains))
    _write_concepts(study.paths, concepts)
    _write_combos(study.paths, combos)
    _write_templates(study.paths, essay_generator)
    _write_table(
        study.paths.models,
        ["id", "model", "provider", "display_name", "for_generation", "for_evaluation"],
        [[MODEL, MODEL_STRING, "bench", "Scripted model", "true", "true"]],
    )
    _write_table(
        study.paths.cohort(COHORT).membership,
        ["stage", "gen_id", "cohort_id", "parent_gen_id", "combo_id", "template_id", "llm_model_id"],
        _membership(chains),
    )
    write_config(folder, _config(base_url, in_flight))
    return study


def copy_demo(folder: Path, base_url: str) -> Study:
    """Copy the project's demo study, with the scripted provider in the place of the embedded model."""
    for name in ("1_raw", "2_tasks"):
        shutil.copytree(PROJECT / "data" / name, folder / "data" / name)
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    config["endpoints"]["embedded"] |= {"kind": "openai", "base_url": base_url, "max_concurrency": 8}
    write_config(folder, config)
    return Study(folder, 0)


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Write a study's config.yaml."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _config(base_url: str, in_flight: int) -> dict[str, Any]:
    provider = {"kind": "openai", "base_url": base_url, "max_concurrency": in_flight, "timeout_s": 120}
    return {
        "cohort": COHORT,
        "description_level": LEVEL,
        "default_endpoint": "provider",
        "endpoints": {"provider": provider},
        "stages": {"draft": SAMPLING, "essay": SAMPLING, "evaluation": SAMPLING},
    }


def _concepts_needed(combos: int) -> int:
    """The smallest number of concepts that has so many pairs."""
    return math.ceil((1 + math.sqrt(1 + 8 * combos)) / 2)


def _draft_template(chain: int) -> str:
    return f"style-{chain % DRAFT_TEMPLATES:02d}"


def _combo_id(chain: int) -> str:
    return f"combo-{chain:05d}"


def _membership(chains: int) -> Iterator[list[str]]:
    """The rows: all drafts, all essays, all evaluations."""
    rows: dict[str, list[list[str]]] = {"draft": [], "essay": [], "evaluation": []}
    for chain in range(chains):
        parent, combo_id = "", _combo_id(chain)
        for stage, template_id in (("draft", _draft_template(chain)), ("essay", "plain"), ("evaluation", "novelty")):
            gen_id = generation_id(stage, template_id, MODEL, parent or combo_id, 1)
            rows[stage].append([stage, gen_id, COHORT, parent, combo_id, template_id, MODEL])
            parent = gen_id
    return itertools.chain.from_iterable(rows.values())


def _write_concepts(paths: DataPaths, concepts: Sequence[str]) -> None:
    _write_table(paths.concepts, ["concept_id", "name", "active"], ([name, name.title(), "true"] for name in concepts))
    for concept_id in concepts:
        _write_text(paths.concept_text(LEVEL, concept_id), f"What {concept_id} is about, in one sentence.\n")


def _write_combos(paths: DataPaths, combos: Sequence[Sequence[str]]) -> None:
    columns = ["combo_id", "version", "concept_id", "description_level", "k_max", "created_at"]
    _write_table(
        paths.selected_combos,
        columns,
        (
            [_combo_id(chain), "v1", concept_id, LEVEL, str(len(combo)), "2026-01-01T00:00:00Z"]
            for chain, combo in enumerate(combos)
            for concept_id in combo
        ),
    )


def _write_templates(paths: DataPaths, essay_generator: str) -> None:
    columns = ["template_id", "generator", "parser", "active"]
    drafts = [_draft_template(number) for number in range(DRAFT_TEMPLATES)]
    _write_table(paths.templates("draft"), columns, ([name, "llm", "essay_block", "true"] for name in drafts))
    for number, name in enumerate(drafts):
        _write_text(paths.template_text("draft", name), DRAFT_TEXT.format(number=number))
    _write_table(paths.templates("essay"), columns, [["plain", essay_generator, "", "true"]])
    _write_text(paths.template_text("essay", "plain"), ESSAY_TEXT)
    _write_table(paths.templates("evaluation"), columns, [["novelty", "llm", "in_last_line", "true"]])
    _write_text(paths.template_text("evaluation", "novelty"), EVALUATION_TEXT)


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
