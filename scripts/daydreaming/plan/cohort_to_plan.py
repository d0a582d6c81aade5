"""Which generations a plan is about: those of the table that is there, or of the one that would be built."""

from __future__ import annotations

from daydreaming.cohort.build import cohort_id_for
from daydreaming.cohort.membership import membership_difference
from daydreaming.generation.study import Study, load_study, study_to_build
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.cohort_spec.spec_files import spec_file
from daydreaming.inputs.settings import Settings


def study_to_plan(settings: Settings, *, rebuilt: bool = False) -> tuple[Study, str]:
    """Return the cohort to plan, and a sentence on its table where there is something to say.

    Without a table, or with `rebuilt`, it is the cohort as `snakemake membership` would build it. Raises InputError.
    """
    catalogs = load_catalogs(settings)
    cohort_id = cohort_id_for(settings, catalogs)
    files = settings.paths.cohort(cohort_id)
    if not files.membership.is_file():
        return study_to_build(settings), f"{files.membership} is not written yet: `snakemake membership` does that."
    if rebuilt:
        built = study_to_build(settings)
        return built, _difference(load_study(settings), built, "This plan is of the cohort as it would be built now")
    study = load_study(settings)
    spec = spec_file(files)
    if spec is None or settings.slice is not None:
        return study, ""
    return study, _difference(study, study_to_build(settings), f"{spec} says something else than the table")


def _difference(there: Study, built: Study, what: str) -> str:
    """What building the table anew would change; "" where nothing."""
    come, go = membership_difference(there.membership.generations.values(), built.membership.generations.values())
    if not come and not go:
        return ""
    return f"{what}: {len(come):,} rows would come and {len(go):,} go (`snakemake membership`)."
