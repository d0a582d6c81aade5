"""One look at all inputs, without a call to a model: everything that is wrong, not only the first of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.study_warnings import study_warnings
from daydreaming.cohort.build import CohortPlan, called_by, called_models, plan_cohort
from daydreaming.generation.study import budget_faults, load_study
from daydreaming.inputs.catalogs import read_catalogs
from daydreaming.inputs.cohort_spec.spec_files import spec_file
from daydreaming.inputs.concepts import cohort_combos, count_cohort_combos, read_description, scan_combos
from daydreaming.inputs.records import Catalogs, Combo, Generation, Template
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.tables import gathering
from daydreaming.inputs.template_checks import template_faults, template_warnings
from daydreaming.results.human_scores import read_human_scores
from daydreaming.results.labels import rubric_scales


@dataclass(frozen=True, slots=True)
class Validation:
    """What a look at the inputs found: all faults, how much was checked, and what could not be checked and why."""

    faults: tuple[Fault, ...]
    counts: Mapping[str, int]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _MembershipCheck:
    """What the table of the cohort uses, and its faults; a remark where there was nothing to check."""

    generations: tuple[Generation, ...] = ()
    faults: tuple[Fault, ...] = ()
    remark: str | None = None


def validate_inputs(settings: Settings) -> Validation:
    """Check the catalogs, the combos, the templates (each is rendered) and the cohort's membership, if there is one.

    A fault in one file does not keep the others from being checked.
    """
    reading = read_catalogs(settings)
    catalogs = reading.catalogs
    faults = list(reading.faults)
    combos, combo_faults = scan_combos(settings, catalogs)
    faults.extend(combo_faults)
    combo_count = len(combos)
    selected: list[Combo] = []
    if settings.paths.selected_combos.is_file() and not combo_faults:
        with gathering(faults):
            selected = cohort_combos(settings, catalogs)
    # A curated cohort makes no combos; without any concept the catalog's own fault says all there is to say.
    plan = None if reading.faults else _plan_of_spec(settings, catalogs, faults)
    if plan is not None:
        combo_count = len(plan.combos)
    elif catalogs.concepts and not settings.paths.selected_essays.is_file():
        with gathering(faults):
            combo_count = count_cohort_combos(settings, catalogs)
    faults.extend(_description_faults(settings, catalogs))
    with gathering(faults):
        read_human_scores(settings.paths.human_scores, rubric_scales(catalogs, settings.stage_table))
    membership = _check_membership(settings, catalogs, combos, derivable=not faults)
    faults.extend(membership.faults)
    generations = membership.generations or (plan.generations if plan else ())
    templates = _templates_to_check(catalogs, generations)
    faults.extend(template_faults(settings, reading, templates, strict=True))
    if membership.generations:
        # What a run reads and refuses is found here, too, whatever it is.
        with gathering(faults):
            load_study(settings)
    elif settings.budget_usd is not None and not reading.faults:
        # Why a cohort cannot be built is not asked here.
        with suppress(InputError):
            called = called_by(plan.generations, catalogs) if plan else called_models(settings, catalogs)
            faults.extend(budget_faults(settings, catalogs, called))
    remarks = [membership.remark] if membership.remark else []
    remarks += [f"Warning: {text}" for text in template_warnings(templates, settings.stage_table)]
    if not reading.faults:
        texts = study_warnings(settings, catalogs, selected, generations)
        remarks += [f"Warning: {text}" for text in texts]
    counts = {
        "active concepts": sum(concept.active for concept in catalogs.concepts.values()),
        "combos": combo_count,
        "models": len(catalogs.models),
        "templates rendered": len(templates),
        "membership rows": len(membership.generations),
    }
    return Validation(tuple(dict.fromkeys(faults)), counts, tuple(remarks))


def _plan_of_spec(settings: Settings, catalogs: Catalogs, faults: list[Fault]) -> CohortPlan | None:
    """What the spec of the configured cohort describes; None without a spec, and after a fault of it."""
    with gathering(faults):
        if settings.cohort and spec_file(settings.paths.cohort(settings.cohort)):
            return plan_cohort(settings, catalogs)
    return None


def _check_membership(
    settings: Settings, catalogs: Catalogs, combos: Mapping[str, Combo], *, derivable: bool
) -> _MembershipCheck:
    """Check the table of the cohort. Without a configured cohort its id is derived, if the inputs allow that."""
    from daydreaming.cohort.build import cohort_id_for
    from daydreaming.cohort.membership import load_membership

    if settings.cohort is None and not derivable:
        remark = "The membership was not checked: the cohort's id is derived from inputs that have faults."
        return _MembershipCheck(remark=remark)
    faults: list[Fault] = []
    with gathering(faults):
        cohort_id = settings.cohort or cohort_id_for(settings, catalogs)
        if not settings.paths.cohort(cohort_id).membership.is_file():
            remark = f"The cohort {cohort_id} has no membership yet: `snakemake membership` builds it."
            return _MembershipCheck(remark=remark)
        generations = load_membership(settings, catalogs, combos, cohort_id).generations
        return _MembershipCheck(tuple(generations.values()))
    return _MembershipCheck(faults=tuple(faults))


def _templates_to_check(catalogs: Catalogs, generations: Iterable[Generation]) -> list[Template]:
    used = {(generation.stage, generation.template_id) for generation in generations}
    return [
        template
        for stage in catalogs.templates
        for template in catalogs.templates[stage].values()
        if template.active or (stage, template.template_id) in used
    ]


def _description_faults(settings: Settings, catalogs: Catalogs) -> list[Fault]:
    """Read each description that the cohort's combos need, at the level that they need."""
    active = [concept.concept_id for concept in catalogs.concepts.values() if concept.active]
    of_catalog = dict.fromkeys((settings.description_level, concept_id) for concept_id in active)
    of_combos = {}
    faults: list[Fault] = []
    if settings.paths.selected_combos.is_file():
        with gathering(faults):
            for combo in cohort_combos(settings, catalogs):
                of_combos.update(dict.fromkeys((combo.description_level, one) for one in combo.concept_ids))
    for level, concept_id in of_catalog | of_combos:
        path = settings.paths.concept_text(level, concept_id)
        # That an active concept has no text is a fault of the catalog already.
        if (level, concept_id) in of_catalog and not (path.is_file() and path.stat().st_size):
            continue
        with gathering(faults):
            read_description(path, concept_id)
    return faults
