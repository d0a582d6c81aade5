from __future__ import annotations

import json
from pathlib import Path

import pytest
from inputs_fixtures import RAW, make_project, settings_with

from daydreaming.base.errors import InputError
from daydreaming.cohort.build import plan_cohort
from daydreaming.cohort.membership import read_generations
from daydreaming.cohort.writer import CohortChange, write_cohort
from daydreaming.inputs.catalogs import load_catalogs

FOLDER = Path("data/cohorts/first")
TABLE, MANIFEST = FOLDER / "membership.csv", FOLDER / "manifest.json"
COMBOS = Path("data/combo_mappings.csv")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three combos, one draft template and writer, two essay templates, one rubric and judge: 3 + 6 + 6 rows."""
    make_project(tmp_path, monkeypatch)


def build(force: bool = False, **config: object) -> CohortChange:
    settings = settings_with(cohort="first", **config)
    return write_cohort(plan_cohort(settings, load_catalogs(settings)), settings, force=force)


def refusal(**config: object) -> str:
    """Build what must be refused; return the message once it is certain that nothing was changed."""
    before = disk()
    with pytest.raises(InputError) as caught:
        build(**config)
    assert disk() == before
    return str(caught.value)


def disk() -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path().rglob("*") if path.is_file()}


def activate_second_judge() -> None:
    models = RAW / "llm_models.csv"
    models.write_text(models.read_text().replace("Writer,true,false", "Writer,true,true"))


def test_a_new_cohort_gets_its_table_its_manifest_and_its_combos_on_record():
    change = build()
    assert (len(change.come), len(change.go)) == (15, 0)
    assert read_generations(TABLE) == list(change.come)
    assert json.loads(MANIFEST.read_text())["counts"] == {"draft": 3, "essay": 6, "evaluation": 6}
    assert len(COMBOS.read_text().splitlines()) == 1 + 3 * 2


def test_what_stays_the_same_is_not_touched():
    build()
    before = disk()
    change = build()
    assert not change.come
    assert not change.go
    assert disk() == before


def test_rows_may_come_without_being_asked_for():
    build()
    activate_second_judge()
    change = build()
    assert (len(change.come), len(change.go)) == (6, 0)
    assert len(read_generations(TABLE)) == 21
    assert json.loads(MANIFEST.read_text())["counts"]["evaluation"] == 12


def test_a_changed_catalog_renews_the_manifest_but_not_an_unchanged_table():
    build()
    before = disk()
    models = RAW / "llm_models.csv"
    models.write_text(models.read_text().replace("0.5,1.5", "0.7,1.7"))
    build()
    after = disk()
    assert {path for path in after if before[path] != after[path]} == {models, MANIFEST}


def test_rows_go_only_when_it_is_said_that_they_may():
    activate_second_judge()
    build()
    message = refusal(k_max=1)
    assert message.startswith(str(TABLE))
    assert "--force" in message
    assert "15 rows" not in message
    assert "21 rows come" in message
    assert "21 rows go" in message
    change = build(force=True, k_max=1)
    assert (len(change.come), len(change.go)) == (21, 21)
    assert read_generations(TABLE) == list(change.come)


def test_a_refusal_shows_the_first_ten_rows_that_come_and_go():
    activate_second_judge()
    build()
    lines = refusal(k_max=1).splitlines()
    assert sum(line.startswith("  + ") for line in lines) == 10 + 1
    assert sum(line.startswith("  - ") for line in lines) == 10 + 1
    assert "  - and 11 more" in lines
    first = read_generations(TABLE)[0]
    assert any(first.gen_id in line and "template plain, model writer" in line for line in lines)


def test_generations_are_left_alone_when_their_rows_go():
    build()
    kept = Path("data/gens/draft") / read_generations(TABLE)[0].gen_id / "parsed.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("paid for")
    build(force=True, k_max=1)
    assert kept.read_text() == "paid for"


def test_combos_are_only_ever_added():
    build()
    before = COMBOS.read_text()
    build(force=True, k_max=1)
    after = COMBOS.read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 3


def test_an_order_of_rows_that_someone_prefers_is_kept():
    build()
    header, *rows = TABLE.read_text().splitlines()
    TABLE.write_text("\n".join([header, *reversed(rows)]) + "\n")
    before = TABLE.read_text()
    build()
    assert TABLE.read_text() == before


def test_a_table_that_cannot_be_read_is_replaced_only_when_told():
    build()
    TABLE.write_text("stage,gen_id\ndraft,d1\n")
    message = refusal()
    assert "column 'template_id'" in message
    assert "--force" in message
    assert len(build(force=True).come) == 15


def test_columns_of_the_users_own_are_not_lost_silently():
    build()
    header, *rows = TABLE.read_text().splitlines()
    TABLE.write_text("\n".join([header + ",note", *(row + ",good" for row in rows)]) + "\n")
    build()
    assert TABLE.read_text().startswith(header + ",note\n")
    activate_second_judge()
    assert "note" in refusal()
    build(force=True)
    assert TABLE.read_text().startswith(header + "\n")
