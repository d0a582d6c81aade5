"""Combos (ordered choices of concepts) and the texts that describe their concepts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from daydreaming.base.atomic import write_text
from daydreaming.base.errors import Fault, InputError
from daydreaming.base.identifiers import content_id
from daydreaming.base.paths import DESCRIPTION_LEVELS
from daydreaming.inputs.records import Catalogs, Combo, Concept
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.tables import CellReader, Row, scan_table, with_rows

COMBO_COLUMNS = ("combo_id", "version", "concept_id", "description_level", "k_max", "created_at")
GENERATED_VERSION = "v1"
GENERATED_ID_LENGTH = 12


def load_combos(settings: Settings, catalogs: Catalogs) -> dict[str, Combo]:
    """Return all combos by id: the selected ones, then those recorded for earlier cohorts. Either file may be absent.

    Raises InputError with the faults of both files, also where they disagree about a combo.
    """
    combos, faults = scan_combos(settings, catalogs)
    if faults:
        raise InputError(faults)
    return combos


def scan_combos(settings: Settings, catalogs: Catalogs) -> tuple[dict[str, Combo], list[Fault]]:
    """Return the combos as far as they can be read, with all faults: for reports that go on after a fault."""
    faults: list[Fault] = []
    known = _known_concepts(catalogs)
    selected = _read_combos(settings.paths.selected_combos, known, faults)
    recorded = _read_combos(settings.paths.combos, known, faults)
    for combo_id in selected.keys() & recorded.keys():
        row, combo = selected[combo_id]
        if not same_choice(combo, recorded[combo_id][1]):
            problem = f"{combo_id!r} is another combo in {settings.paths.combos}, row {recorded[combo_id][0]}."
            file = str(settings.paths.selected_combos)
            faults.append(Fault(file, problem, "Give this combo an id of its own.", row=row, column="combo_id"))
    return {combo_id: combo for combo_id, (_, combo) in {**selected, **recorded}.items()}, faults


def cohort_combos(settings: Settings, catalogs: Catalogs) -> list[Combo]:
    """Return the combos of a Cartesian cohort: the selected ones, or without that file every choice of active concepts.

    The choices are all subsets of `k_max` active concepts in the order of the catalog, with ids made of their content.
    Raises InputError for a faulty file, and when fewer than `k_max` concepts are active.
    """
    if settings.paths.selected_combos.is_file():
        return _selected_combos(settings, catalogs)
    return combos_of_concepts(_active_concepts(settings, catalogs), settings.k_max, settings.description_level)


def combos_of_concepts(concepts: Iterable[Concept], k_max: int, level: str) -> list[Combo]:
    """Return all choices of `k_max` concepts, described at a level, with ids made of their content."""
    choices = combinations([concept.concept_id for concept in concepts], k_max)
    return [_generated_combo(choice, k_max, level) for choice in choices]


def count_cohort_combos(settings: Settings, catalogs: Catalogs) -> int:
    """Return how many combos `cohort_combos` gives, without making them; raises the same errors."""
    if settings.paths.selected_combos.is_file():
        return len(_selected_combos(settings, catalogs))
    return math.comb(len(_active_concepts(settings, catalogs)), settings.k_max)


def append_combos(path: Path, combos: Iterable[Combo]) -> None:
    """Add the combos that a combo file does not have yet to its end; the text that is there stays as it is.

    Raises InputError, and writes nothing, when the file is faulty or has another combo of the same id.
    """
    faults: list[Fault] = []
    recorded = _read_combos(path, None, faults)
    new = {}
    for combo in combos:
        if combo.combo_id not in recorded:
            new[combo.combo_id] = combo
        elif not same_choice(combo, recorded[combo.combo_id][1]):
            problem, row = f"{combo.combo_id!r} is another combo here.", recorded[combo.combo_id][0]
            faults.append(Fault(str(path), problem, "Rename the new one.", row=row, column="combo_id"))
    if faults:
        raise InputError(faults)
    if new:
        write_text(path, with_rows(path, COMBO_COLUMNS, _rows_of(new.values())))


def read_description(path: Path, concept_id: str) -> str:
    """Return the text of a description, without white space at its ends; raise InputError if there is none in UTF-8."""
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InputError(Fault(str(path), f"is not UTF-8 text ({error.reason}).", "Save it as UTF-8.")) from error
    except OSError as error:
        problem = f"the description of concept {concept_id!r} cannot be read ({error.strerror})."
        raise InputError(Fault(str(path), problem, "Write the description to this file.")) from error
    if not text:
        problem = f"the description of concept {concept_id!r} is empty."
        raise InputError(Fault(str(path), problem, "Write the description to this file."))
    return text


def _known_concepts(catalogs: Catalogs) -> Collection[str] | None:
    """Return the ids that a combo may name; None (any) when the catalog could not be read, which is a fault itself."""
    return catalogs.concepts or None


def _selected_combos(settings: Settings, catalogs: Catalogs) -> list[Combo]:
    faults: list[Fault] = []
    combos = _read_combos(settings.paths.selected_combos, _known_concepts(catalogs), faults)
    if faults:
        raise InputError(faults)
    return [combo for _, combo in combos.values()]


def _active_concepts(settings: Settings, catalogs: Catalogs) -> list[Concept]:
    active = [concept for concept in catalogs.concepts.values() if concept.active]
    if settings.k_max > len(active):
        problem = f"a combo needs {settings.k_max} concepts and {len(active)} are active."
        cure = f"Lower k_max, or set more concepts active in {settings.paths.concepts}."
        raise InputError(Fault("config.yaml", problem, cure, key="k_max"))
    return active


def _generated_combo(concept_ids: tuple[str, ...], k_max: int, level: str) -> Combo:
    # The keys are part of the name: renaming one would rename every combo that exists.
    content = {"description_level": level, "k_max": k_max, "concepts": concept_ids}
    combo_id = f"combo_{content_id(content, GENERATED_ID_LENGTH)}"
    return Combo(combo_id, GENERATED_VERSION, level, k_max, concept_ids)


def same_choice(one: Combo, other: Combo) -> bool:
    """Whether two combos agree in all but the time when they were written down."""
    return (one.version, one.description_level, one.k_max, one.concept_ids) == (
        other.version,
        other.description_level,
        other.k_max,
        other.concept_ids,
    )


def _read_combos(path: Path, known: Collection[str] | None, faults: list[Fault]) -> dict[str, tuple[int, Combo]]:
    """Return the combos of a file with their first rows, none without a file; `known` are the catalog's concepts."""
    if not path.exists():
        return {}
    rows, table_faults = scan_table(path, COMBO_COLUMNS)
    faults.extend(table_faults)
    return read_combo_rows(path, rows, known, faults)


def read_combo_rows(
    path: Path, rows: Sequence[Row], known: Collection[str] | None, faults: list[Fault]
) -> dict[str, tuple[int, Combo]]:
    """Return the combos that rows of a combo file describe, with their first rows; what is wrong goes to `faults`."""
    groups: dict[str, list[CellReader]] = {}
    for cells in (CellReader(path, row, faults) for row in rows):
        if combo_id := cells.identifier("combo_id"):
            groups.setdefault(combo_id, []).append(cells)
    return {combo_id: (group[0].row.number, _read_combo(combo_id, group, known)) for combo_id, group in groups.items()}


def _read_combo(combo_id: str, group: list[CellReader], known: Collection[str] | None) -> Combo:
    first = group[0]
    for cells in group[1:]:
        for column in ("version", "description_level", "k_max"):
            if cells.optional_text(column) != first.optional_text(column):
                problem = f"combo {combo_id!r} has {first.optional_text(column)!r} here in row {first.row.number}."
                cells.add_fault(column, problem, "Write the same in all rows of the combo.")
    k_max = first.integer("k_max")
    if k_max is not None and k_max != len(group):
        problem = f"combo {combo_id!r} has k_max {k_max} and concepts in {len(group)} rows."
        first.add_fault("k_max", problem, "Correct k_max, or the combo's rows.")
    return Combo(
        combo_id=combo_id,
        version=first.optional_text("version"),
        description_level=first.choice("description_level", DESCRIPTION_LEVELS),
        k_max=len(group),
        concept_ids=_read_concept_ids(combo_id, group, known),
        created_at=first.optional_text("created_at"),
    )


def _read_concept_ids(combo_id: str, group: list[CellReader], known: Collection[str] | None) -> tuple[str, ...]:
    concept_ids: list[str] = []
    for cells in group:
        concept_id = cells.identifier("concept_id")
        if concept_id in concept_ids:
            cells.add_fault("concept_id", f"combo {combo_id!r} has {concept_id!r} twice.", "Name another concept.")
        elif concept_id and known is not None and concept_id not in known:
            problem = f"{concept_id!r} is not in the catalog of concepts."
            cells.add_fault("concept_id", problem, "Correct it, or add its row there; `active` may be false.")
        concept_ids.append(concept_id)
    return tuple(concept_ids)


def _rows_of(combos: Iterable[Combo]) -> Iterator[dict[str, object]]:
    """The rows of a combo file that say what combos are."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for combo in combos:
        for concept_id in combo.concept_ids:
            values = (combo.combo_id, combo.version, concept_id, combo.description_level, combo.k_max)
            yield dict(zip(COMBO_COLUMNS, (*values, combo.created_at or now), strict=True))
