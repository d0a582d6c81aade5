"""Faulty inputs: one clear message that names file, row and cure, exit code 1, and nothing changed on disk."""

from collections.abc import Callable

import pytest

from provider import Provider
from studies import Choice, Study

TABLE = "cohorts/c1/membership.csv"
Change = Callable[[Study], object]


def edited(file: str, old: str, new: str) -> Change:
    return lambda study: study.edit(file, old, new)


def written(file: str, content: bytes) -> Change:
    return lambda study: (study.data / file).write_bytes(content)


def deleted(file: str) -> Change:
    return lambda study: (study.data / file).unlink()


def configured(**changes) -> Change:
    return lambda study: study.configure(**changes)


def column_added(file: str) -> Change:
    def change(study: Study) -> None:
        header, *rows = (study.data / file).read_text().splitlines()
        study.write(file, "\n".join([f"{header},notes", *(f"{row}," for row in rows)]) + "\n")

    return change


def row_repeated(file: str) -> Change:
    return lambda study: study.write(file, (study.data / file).read_text() + last_line(study, file))


def last_line(study: Study, file: str) -> str:
    return (study.data / file).read_text().splitlines()[-1] + "\n"


def template_with(text: str) -> Change:
    return lambda study: study.edit(study.template("evaluation", "novelty"), "{{ response }}", text)


def parent_of(stage: str, parent: Callable[[Study], str]) -> Change:
    """Give the only row of a stage another parent."""

    def change(study: Study) -> None:
        row = study.row(stage)
        old = f"{stage},{row.gen_id},c1,{row.parent_gen_id},"
        study.edit(TABLE, old, f"{stage},{row.gen_id},c1,{parent(study)},")

    return change


CASES: dict[str, tuple[Change, list[str]]] = {
    "missing column": (
        edited("1_raw/draft_templates.csv", "generator", "maker"),
        ["draft_templates.csv, row 1, column 'generator': this column is missing.", "Add it"],
    ),
    "active not last": (
        column_added("1_raw/essay_templates.csv"),
        ["essay_templates.csv, row 1, column 'active'", "not the last one", "Move it to the end"],
    ),
    "unknown parser": (
        edited("1_raw/evaluation_templates.csv", "in_last_line", "in_first_line"),
        ["evaluation_templates.csv, row 2, column 'parser': 'in_first_line' is not known.", "in_last_line"],
    ),
    "unknown generator": (
        edited("1_raw/essay_templates.csv", "copied,Copied,copy", "copied,Copied,photocopy"),
        ["essay_templates.csv, row 2, column 'generator': 'photocopy' is not known.", "Use llm or copy"],
    ),
    "evaluation template without parser": (
        edited("1_raw/evaluation_templates.csv", "llm,in_last_line", "llm,"),
        ["evaluation_templates.csv, row 2, column 'parser': the cell is empty.", "in_last_line"],
    ),
    "duplicate id": (
        row_repeated("1_raw/llm_models.csv"),
        ["llm_models.csv, row 4, column 'id': 'judge' is already in row 3.", "rename it"],
    ),
    "duplicate generation": (
        row_repeated(TABLE),
        ["membership.csv, row 5, column 'gen_id'", "already in row 4", "Delete one of the rows"],
    ),
    "id with a slash": (
        edited("1_raw/evaluation_templates.csv", "novelty,", "new/ness,"),
        ["evaluation_templates.csv, row 2, column 'template_id': 'new/ness' has a slash in it.", "Use letters"],
    ),
    "id that leaves the folder": (
        edited("1_raw/concepts_metadata.csv", "sleep,", "..,"),
        ["concepts_metadata.csv, row 2, column 'concept_id': '..' is the name of a folder", "Use letters"],
    ),
    "gen_id that leaves the folder": (
        edited(TABLE, "draft,", "draft,../"),
        ["membership.csv, row 2, column 'gen_id'", "has a slash in it", "Use letters"],
    ),
    "template file missing": (
        deleted("1_raw/evaluation_templates/novelty.txt"),
        ["evaluation_templates.csv, row 2, column 'template_id'", "missing", "Write it to", "novelty.txt"],
    ),
    "Jinja syntax error": (
        template_with("{% if response %}"),
        ["evaluation_templates.csv, row 2, column 'template_id'", "novelty.txt, line", "Correct the Jinja syntax"],
    ),
    "undefined variable": (
        template_with("{{ essay }}"),
        [
            "evaluation_templates.csv, row 2, column 'template_id'",
            "novelty.txt, line 2: 'essay' is undefined",
            "response",
        ],
    ),
    "model not in the catalog": (
        edited(TABLE, ",judge,", ",nobody,"),
        ["membership.csv, row 4, column 'llm_model_id': there is no model 'nobody'", "llm_models.csv"],
    ),
    "model not allowed for its stage": (
        edited(TABLE, ",judge,", ",writer,"),
        [
            "membership.csv, row 4, column 'llm_model_id'",
            "may not be used for the stage 'evaluation'",
            "for_evaluation",
        ],
    ),
    "endpoint not in the configuration": (
        edited("1_raw/llm_models.csv", ",local,1,2\njudge", ",elsewhere,1,2\njudge"),
        ["llm_models.csv, row 2, column 'endpoint': 'elsewhere' is not an endpoint", "Use one of"],
    ),
    "parent missing": (
        parent_of("essay", lambda study: "nobody"),
        ["membership.csv, row 3, column 'parent_gen_id'", "'nobody' is not in this table", "Correct the cell"],
    ),
    "parent of the wrong stage": (
        parent_of("evaluation", lambda study: study.row("draft").gen_id),
        ["membership.csv, row 4, column 'parent_gen_id'", "is of stage 'draft'", "Write the gen_id of its essay"],
    ),
    "parents in a loop": (
        parent_of("essay", lambda study: study.row("evaluation").gen_id),
        ["membership.csv, row 3, column 'parent_gen_id'", "a loop", "correct the cell"],
    ),
    "concept text missing": (
        deleted("1_raw/concepts/descriptions-paragraph/tides.txt"),
        ["membership.csv, row 2, column 'combo_id'", "concept 'tides' is missing", "descriptions-paragraph/tides.txt"],
    ),
    "empty table": (
        written("1_raw/llm_models.csv", b""),
        ["llm_models.csv, row 1: is empty.", "Add a header with the columns id, model"],
    ),
    "table without rows": (
        written("1_raw/concepts_metadata.csv", b"concept_id,name,active\n"),
        ["concepts_metadata.csv, row 2: has a header and no rows.", "Add a row"],
    ),
    "not UTF-8": (
        written("1_raw/concepts_metadata.csv", "concept_id,name,active\nsleep,Träume,true\n".encode("latin-1")),
        ["concepts_metadata.csv, row 2: is not UTF-8 text", "CSV UTF-8"],
    ),
    "membership missing": (
        deleted(TABLE),
        ["membership.csv: the table of the cohort does not exist.", "snakemake membership"],
    ),
    "unknown configuration key": (
        configured(budgetusd=1),
        ["key 'budgetusd': unknown key.", "Did you mean 'budget_usd'?"],
    ),
    "unknown key of an endpoint": (
        configured(endpoints={"local": {"api_key": "x"}}),
        ["key 'endpoints.local.api_key': unknown key.", "Did you mean 'api_key_env'?"],
    ),
    "budget without prices": (
        lambda study: (study.configure(budget_usd=1), study.edit("1_raw/llm_models.csv", "local,1,2", "local,,")),
        [
            "column 'usd_per_mtok_in': budget_usd is set, but the model 'judge' has no prices.",
            "Fill in usd_per_mtok_in",
        ],
    ),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, session_provider: Provider) -> Study:
    study = Study.create(tmp_path_factory.mktemp("sound") / "study", session_provider)
    study.build()
    return study


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_once_and_nothing_is_changed(sound: Study, tmp_path, name: str):
    change, said = CASES[name]
    study = sound.copy(tmp_path / "study")
    change(study)
    before = study.snapshot()
    run = study.run("-j4", code=1)
    for words in said:
        assert words in run.output, f"{words!r} is not in:\n{run.output}"
    assert run.output.count(said[0]) == 1, f"{said[0]!r} is told more than once:\n{run.output}"
    assert "Traceback (most recent call last)" not in run.output
    assert run.calls == ()
    assert study.snapshot() == before


def test_a_key_on_the_command_line_is_checked_too(sound: Study):
    assert "key 'ofline': unknown key. Did you mean 'offline'?" in sound.run("--config", "ofline=true", code=1).output


def test_all_faults_are_told_at_once(tmp_path, provider: Provider):
    study = Study.create(tmp_path / "study", provider, Choice(evaluations=("novelty", "soundness")))
    names = ["unknown parser", "duplicate id", "unknown generator", "undefined variable"]
    for name in names:
        CASES[name][0](study)
    before = study.snapshot()
    run = study.script("validate_inputs.py", code=1)
    assert all(CASES[name][1][0] in run.output for name in names)
    built = study.run("membership", code=1)
    assert all(CASES[name][1][0] in built.output for name in names[:3])
    assert study.snapshot() == before
