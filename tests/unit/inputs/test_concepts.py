"""Combos and concept texts."""

import pytest
from inputs_fixtures import COMBO_HEADER, RAW, make_project, settings_with, write

from daydreaming.base.errors import InputError
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.concepts import (
    append_combos,
    cohort_combos,
    count_cohort_combos,
    load_combos,
    read_description,
    scan_combos,
)
from daydreaming.inputs.records import Catalogs, Combo

SELECTED = "data/2_tasks/selected_combo_mappings.csv"
RECORDED = "data/combo_mappings.csv"
PAIR = "pair,v1,moss,paragraph,2,2025-01-01\npair,v1,tide,paragraph,2,2025-01-01\n"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


@pytest.fixture
def settings():
    return settings_with(k_max=2)


@pytest.fixture
def catalogs(settings):
    return load_catalogs(settings)


def faults_of(settings, catalogs):
    with pytest.raises(InputError) as caught:
        load_combos(settings, catalogs)
    return str(caught.value)


def test_without_files_there_are_no_combos(settings, catalogs):
    assert load_combos(settings, catalogs) == {}


def test_combos_of_both_files_keep_their_concepts_in_order(settings, catalogs):
    write(SELECTED, COMBO_HEADER + PAIR)
    write(RECORDED, COMBO_HEADER + "solo,v1,salt,article,1,\n" + PAIR.replace("2025-01-01", "2026-01-01"))
    combos = load_combos(settings, catalogs)
    assert list(combos) == ["pair", "solo"]
    assert combos["pair"].concept_ids == ("moss", "tide")
    assert combos["solo"] == Combo("solo", "v1", "article", 1, ("salt",))


def test_rows_of_a_combo_need_not_be_neighbours(settings, catalogs):
    first, second = PAIR.splitlines(keepends=True)
    write(SELECTED, COMBO_HEADER + first + "solo,v1,salt,article,1,\n" + second)
    assert load_combos(settings, catalogs)["pair"].concept_ids == ("moss", "tide")


def test_same_id_for_different_combos_in_the_two_files(settings, catalogs):
    write(SELECTED, COMBO_HEADER + PAIR)
    write(RECORDED, COMBO_HEADER + "solo,v1,salt,article,1,\n" + PAIR.replace("moss", "loom"))
    assert faults_of(settings, catalogs) == (
        f"{SELECTED}, row 2, column 'combo_id': 'pair' is another combo in {RECORDED}, row 3. "
        "Give this combo an id of its own."
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            PAIR.replace("tide", "ghost"),
            "row 3, column 'concept_id': 'ghost' is not in the catalog of concepts. Correct it",
        ),
        (PAIR.replace("tide", "moss"), "row 3, column 'concept_id': combo 'pair' has 'moss' twice. Name another"),
        (PAIR.replace("tide", "../x"), "row 3, column 'concept_id': '../x' has a slash in it. Use letters"),
        (
            PAIR.replace("paragraph", "novel"),
            "row 2, column 'description_level': 'novel' is not known. Use sentence or ",
        ),
        (PAIR.replace(",2,", ",3,"), "row 2, column 'k_max': combo 'pair' has k_max 3 and concepts in 2 rows. Correct"),
        (PAIR.replace(",2,", ",two,"), "row 2, column 'k_max': 'two' is not a whole number"),
        (PAIR.replace("v1,tide", "v2,tide"), "row 3, column 'version': combo 'pair' has 'v1' here in row 2. Write the"),
        (PAIR.replace("pair", "a/b"), "row 2, column 'combo_id': 'a/b' has a slash in it."),
    ],
)
def test_faults_of_a_combo_file_name_row_and_cure(settings, catalogs, rows, expected):
    for path in (SELECTED, RECORDED):
        write(path, COMBO_HEADER + rows)
        assert f"{path}, {expected}" in faults_of(settings, catalogs)


def test_missing_column_of_a_combo_file(settings, catalogs):
    write(SELECTED, COMBO_HEADER.replace("k_max", "size") + PAIR)
    assert f"{SELECTED}, row 1, column 'k_max': this column is missing." in faults_of(settings, catalogs)


def test_combos_can_be_looked_at_when_the_catalog_of_concepts_is_unreadable(settings):
    write(SELECTED, COMBO_HEADER + PAIR)
    combos, faults = scan_combos(settings, Catalogs({}, {}, {}))
    assert (list(combos), faults) == (["pair"], [])


def test_cohort_takes_the_selected_combos_where_there_is_a_selection(settings, catalogs):
    write(SELECTED, COMBO_HEADER + PAIR)
    write(RECORDED, COMBO_HEADER + "solo,v1,salt,article,1,\n")
    assert [combo.combo_id for combo in cohort_combos(settings, catalogs)] == ["pair"]
    assert count_cohort_combos(settings, catalogs) == 1


def test_cohort_takes_all_choices_of_active_concepts_in_the_order_of_the_catalog(settings, catalogs):
    combos = cohort_combos(settings, catalogs)
    assert [combo.concept_ids for combo in combos] == [("tide", "loom"), ("tide", "moss"), ("loom", "moss")]
    assert {(combo.description_level, combo.k_max) for combo in combos} == {("paragraph", 2)}
    assert count_cohort_combos(settings, catalogs) == 3


def test_generated_ids_never_change(settings, catalogs):
    # Ids are names of paid work: a change of this value would orphan every cohort.
    assert cohort_combos(settings, catalogs)[0].combo_id == "combo_fecmeiu5y9jw"


def test_generated_ids_follow_the_content(settings, catalogs):
    write(RAW / "concepts/descriptions-article/tide.txt", "x")
    ids = {combo.combo_id for combo in cohort_combos(settings, catalogs)}
    article = {combo.combo_id for combo in cohort_combos(settings_with(k_max=2, description_level="article"), catalogs)}
    single = {combo.combo_id for combo in cohort_combos(settings_with(k_max=1), catalogs)}
    assert len(ids | article | single) == 9


def test_k_max_above_the_number_of_active_concepts(catalogs):
    for function in (cohort_combos, count_cohort_combos):
        with pytest.raises(InputError) as caught:
            function(settings_with(k_max=4), catalogs)
        assert str(caught.value) == (
            "config.yaml, key 'k_max': a combo needs 4 concepts and 3 are active. "
            "Lower k_max, or set more concepts active in data/1_raw/concepts_metadata.csv."
        )


def test_appended_combos_can_be_read_back(settings, catalogs):
    combos = cohort_combos(settings, catalogs)
    append_combos(settings.paths.combos, combos)
    assert [combo.concept_ids for combo in load_combos(settings, catalogs).values()] == [
        combo.concept_ids for combo in combos
    ]
    assert all(combo.created_at for combo in load_combos(settings, catalogs).values())


def test_appending_keeps_what_is_there_and_adds_what_is_new(settings, catalogs):
    old = (
        "\ufeffcombo_id,note,version,concept_id,description_level,k_max,created_at\r\nsolo,mine,v1,salt,article,1,then"
    )
    path = write(RECORDED, old)
    solo = Combo("solo", "v1", "article", 1, ("salt",))
    pair = Combo("pair", "v1", "paragraph", 2, ("moss", "tide"), "now")
    append_combos(path, [solo, pair, pair])
    assert path.read_bytes().decode() == (
        old + "\r\npair,,v1,moss,paragraph,2,now\r\npair,,v1,tide,paragraph,2,now\r\n"
    )


def test_nothing_new_leaves_the_file_untouched(settings, catalogs):
    append_combos(settings.paths.combos, cohort_combos(settings, catalogs))
    before = settings.paths.combos.stat()
    append_combos(settings.paths.combos, cohort_combos(settings, catalogs))
    assert settings.paths.combos.stat().st_ino == before.st_ino
    append_combos(settings.paths.root / "none.csv", [])
    assert not (settings.paths.root / "none.csv").exists()


def test_appending_another_combo_of_the_same_id_is_refused():
    path = write(RECORDED, COMBO_HEADER + PAIR)
    others = [Combo("new", "v1", "paragraph", 1, ("tide",)), Combo("pair", "v1", "paragraph", 2, ("tide", "moss"))]
    with pytest.raises(InputError, match=r"row 2, column 'combo_id': 'pair' is another combo here\. Rename"):
        append_combos(path, others)
    assert path.read_text() == COMBO_HEADER + PAIR


def test_a_description_has_no_white_space_at_its_ends():
    path = write(RAW / "concepts/descriptions-paragraph/tide.txt", "\n Tides rise and fall. \n")
    assert read_description(path, "tide") == "Tides rise and fall."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "is not UTF-8 text"),
        (" \n", "the description of concept 'tide' is empty. Write the description to this file."),
        (None, "the description of concept 'tide' cannot be read (No such file"),
    ],
)
def test_a_description_that_cannot_be_used_is_named(content, said):
    path = RAW / "concepts/descriptions-paragraph/tide.txt"
    if content is None:
        path.unlink()
    else:
        write(path, content)
    with pytest.raises(InputError) as caught:
        read_description(path, "tide")
    assert str(caught.value).startswith(f"{path}: {said}")
