"""A made-up cohort with prompts, replies and thoughts, of any size, for tests of the pages to read it in."""

from __future__ import annotations

import json
import random
from itertools import combinations, islice, product
from pathlib import Path

import score_fixtures as fixtures

from daydreaming.cohort.membership import write_membership
from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Generation

CONCEPTS = (
    "Sleep",
    "Tides",
    "Old maps",
    "Error correction",
    "Gossip",
    "Fermentation",
    "Lighthouses",
    "Moulting",
    "Tariffs",
)
WRITERS = ("quick-writer", "slow-writer")
JUDGES = ("judge", "strict-judge")
RUBRICS = ("novelty", "soundness")
DRAFTS = ("thread", "ladder")
ESSAYS = ("copied", "developed")
HOSTILE = (
    "# <script>alert(document.domain)</script>\n\n<img src=x onerror=alert(1)> [a](javascript:alert(1)) "
    "![p](https://example.org/p.png)\n\n<details><b>unclosed <!-- \x1b[31mred\x1b[0m\x00 \u202eevil\u202c\n\n</script>"
    "<style>*{display:none}</style> &lt;script&gt; ${7*7} {{ 7*7 }} zebrafish"
)

_WORDS = (
    "memory",
    "night",
    "signal",
    "harbour",
    "drift",
    "error",
    "copy",
    "yeast",
    "rumour",
    "tide",
    "light",
    "chart",
    "coast",
    "shell",
    "price",
    "border",
    "pattern",
    "rest",
    "change",
    "cost",
    "slow",
    "quiet",
    "deep",
    "early",
    "late",
    "common",
    "rare",
    "small",
    "large",
)
_SENTENCES = (
    "What if {0} were a form of {1}, kept alive by {2}?",
    "A {0} that nobody reads still shapes the {1} around it.",
    "Between {0} and {1} lies a trade that we seldom price.",
    "The cheapest {0} is the one that another {1} has already paid for.",
    "Test it so: remove the {0}, and watch whether the {1} drifts.",
    "We would then expect {0} to fail first where {1} is **rare**.",
)


def prose(dice: random.Random, sentences: int) -> list[str]:
    return [dice.choice(_SENTENCES).format(*dice.sample(_WORDS, 3)) for _ in range(sentences)]


def paragraphs(sentences: list[str]) -> str:
    return "\n\n".join(" ".join(sentences[start : start + 5]) for start in range(0, len(sentences), 5))


def rows_of(combos: int, replicates: int) -> list[Generation]:
    """Two draft templates, writers, essay templates for each combo; two rubrics, judges, replicates for each essay."""
    drafts, essays, evaluations = [], [], []
    for combo, template, writer in product(range(combos), DRAFTS, WRITERS):
        draft = fixtures.draft(
            f"d-{combo}-{template}-{writer}", combo_id=f"combo{combo}", llm_model_id=writer, template_id=template
        )
        drafts.append(draft)
        for essay_template in ESSAYS:
            name = f"e-{essay_template}{draft.gen_id[1:]}"
            essays.append(fixtures.essay(name, draft.gen_id, template_id=essay_template, llm_model_id=writer))
            for rubric, judge, replicate in product(RUBRICS, JUDGES, range(1, replicates + 1)):
                evaluations.append(
                    fixtures.evaluation(
                        f"v{replicate}-{rubric}-{judge}-{name}",
                        name,
                        template_id=rubric,
                        llm_model_id=judge,
                        replicate=replicate,
                    )
                )
    return [*drafts, *essays, *evaluations]


def write_inputs(folder: Path, combos: int, rows: list[Generation]) -> Study:
    names = {f"c{number}": name for number, name in enumerate(CONCEPTS)}
    chosen = list(islice(combinations(names, 3), combos))
    while len(chosen) < combos:
        chosen.append(chosen[len(chosen) % 84][::-1])
    fixtures.write_project(folder, [])
    csv = {
        "1_raw/concepts_metadata.csv": [
            "concept_id,name,active",
            *(f"{key},{name},true" for key, name in names.items()),
        ],
        "1_raw/draft_templates.csv": [
            "template_id,generator,parser,content,active",
            *(f"{name},llm,,Write a {name}.,true" for name in DRAFTS),
        ],
        "1_raw/essay_templates.csv": [
            "template_id,generator,content,active",
            "copied,copy,none,true",
            "developed,llm,Develop {{ draft_block }},true",
        ],
        "1_raw/evaluation_templates.csv": [
            "template_id,generator,parser,content,active",
            *(f"{name},llm,in_last_line,Judge the {name} of {{{{ response }}}},true" for name in RUBRICS),
        ],
        "1_raw/llm_models.csv": [
            "id,model,provider,display_name,for_generation,for_evaluation,endpoint",
            *(f"{name},lab/{name},lab,{name},true,false,openrouter" for name in WRITERS),
            *(f"{name},lab/{name},lab,{name},false,true,openrouter" for name in JUDGES),
        ],
        "2_tasks/selected_combo_mappings.csv": [
            "combo_id,version,concept_id,description_level,k_max,created_at",
            *(f"combo{n},v1,{one},paragraph,3,2026-01-01" for n, keys in enumerate(chosen) for one in keys),
        ],
    }
    for name, lines in csv.items():
        (folder / "data" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for key, name in names.items():
        (folder / f"data/1_raw/concepts/descriptions-paragraph/{key}.txt").write_text(f"About {name}.\n")
    write_membership(folder / "data/cohorts" / fixtures.COHORT / "membership.csv", rows)
    return load_study(settings_from_config({"cohort": fixtures.COHORT, "k_max": 3}))


def make_reading_cohort(
    folder: Path, combos: int = 3, replicates: int = 2, sentences: int = 40, hostile: str = HOSTILE
) -> Study:
    """Write the cohort to a folder that is the current one.

    The first developed essay is `hostile`; the last evaluation was refused, the one before has a reply without a score.
    """
    rows = rows_of(combos, replicates)
    study = write_inputs(folder, combos, rows)
    dice, texts = random.Random(11), {}
    for row in rows:
        if row.stage == "draft":
            texts[row.gen_id] = prose(dice, sentences)
            _write(
                study, row, _titled(dice, texts[row.gen_id]), thoughts=f"<think>First of all, {row.combo_id}.</think>\n"
            )
        elif row.template_id == "copied":
            (parent,) = (study.files("draft", row.parent_gen_id),)
            _write(study, row, parent.parsed.read_text(encoding="utf-8"), raw=None)
        elif row.stage == "essay":
            kept = [one if dice.random() < 0.7 else prose(dice, 1)[0] for one in texts[row.parent_gen_id]]
            first = hostile and row.gen_id == "e-developed-0-thread-quick-writer"
            _write(study, row, hostile if first else _titled(dice, [*kept, *prose(dice, 6)]))
        else:
            _judge(study, row, dice, refused=row is rows[-1], unread=row is rows[-2])
    return study


def _titled(dice: random.Random, sentences: list[str]) -> str:
    return f"# On {dice.choice(_WORDS)} as {dice.choice(_WORDS)}\n\n{paragraphs(sentences)}\n"


def _judge(study: Study, row: Generation, dice: random.Random, *, refused: bool, unread: bool) -> None:
    mean = {"judge": 6.5, "strict-judge": 4.5}[row.llm_model_id] + (1.0 if "developed" in row.gen_id else 0.0)
    score = min(10.0, max(0.0, round(2 * dice.gauss(mean, 1.3)) / 2))
    said = f"{paragraphs(prose(dice, 8))}\n\n* strength: {dice.choice(_WORDS)}\n* weakness: {dice.choice(_WORDS)}\n\n"
    if refused:
        _write(study, row, None, raw="I cannot judge this.", error="refused")
    elif unread:
        _write(study, row, None, raw=f"{said}No score from me.", error="parse")
    else:
        _write(study, row, f"{score}\n", raw=f"<think>Hm, about {score}?</think>\n{said}SCORE: {score}")


def _write(
    study: Study,
    row: Generation,
    parsed: str | None,
    raw: str | None = "",
    thoughts: str = "",
    error: str = "none",
) -> None:
    record = {"finished_at": 1_767_225_600.0, "served_model": f"lab/{row.llm_model_id}-2026-01", "cost_usd": 0.0021}
    fixtures.make(study.settings, row, parsed, error=error, **record)
    files = study.files(row.stage, row.gen_id)
    files.prompt.write_text(f"The prompt of the {row.stage} {row.gen_id}.\n", encoding="utf-8")
    if raw is not None:
        files.raw.write_text(raw or thoughts + (parsed or ""), encoding="utf-8")


def metadata_of(study: Study, stage: str, gen_id: str) -> dict[str, object]:
    return json.loads(study.files(stage, gen_id).metadata.read_text(encoding="utf-8"))
