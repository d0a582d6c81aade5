"""A study as it is loaded: configuration, catalogs, combos, the membership of one cohort, and look-ups on them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import CohortFiles, DataPaths, GenerationFiles
from daydreaming.cohort.build import Called, called_by, cohort_id_for, plan_cohort
from daydreaming.cohort.membership import Membership, load_membership
from daydreaming.cohort.slices import Slice, membership_of_slice
from daydreaming.generation.prompting import concept_digest
from daydreaming.generation.specification import (
    CallSpecification,
    ConceptText,
    CopySpecification,
    Key,
    Specification,
    parser_digest,
)
from daydreaming.inputs.catalogs import CatalogReading, read_catalogs
from daydreaming.inputs.concepts import load_combos, read_description
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Catalogs, Combo, Generation, Template
from daydreaming.inputs.resolved_settings import ResolvedSettings, endpoint_of, resolved_settings
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.template_checks import template_faults
from daydreaming.inputs.template_sources import TemplateSource, load_template_source
from daydreaming.inputs.templates import template_name


@dataclass(frozen=True)
class Study:
    """Everything that says what belongs to a cohort and how it is made."""

    settings: Settings
    catalogs: Catalogs
    combos: Mapping[str, Combo]
    membership: Membership
    _specifications: dict[Key, Specification] = field(default_factory=dict, repr=False)
    _resolved: dict[tuple[str, str, str], ResolvedSettings] = field(default_factory=dict, repr=False)
    _answerers: dict[str, str] = field(default_factory=dict, repr=False)
    _sources: dict[str, tuple[TemplateSource, str]] = field(default_factory=dict, repr=False)
    _concept_texts: dict[tuple[str, str], ConceptText] = field(default_factory=dict, repr=False)

    @property
    def paths(self) -> DataPaths:
        """The places below the data root."""
        return self.settings.paths

    @property
    def cohort_files(self) -> CohortFiles:
        """The files of the cohort."""
        return self.paths.cohort(self.membership.cohort_id)

    def files(self, stage: str, gen_id: str) -> GenerationFiles:
        """The files of a generation."""
        return self.paths.generation(stage, gen_id)

    def parent_parsed(self, stage: str, gen_id: str) -> str | None:
        """The file of the text that a generation is made from; None for one that is made from a combo."""
        parent = self.membership.parent(self.membership.get(stage, gen_id))
        return self.paths.parsed_text(parent.stage, parent.gen_id) if parent else None

    def specification(self, stage: str, gen_id: str) -> Specification:
        """All that decides a generation's result, from the catalogs and the configuration.

        Raises InputError when the generation is not in the cohort.
        """
        key = (stage, gen_id)
        if key not in self._specifications:
            self._specifications[key] = self._specification(self.membership.get(stage, gen_id))
        return self._specifications[key]

    def resolved_settings(self, generation: Generation) -> ResolvedSettings:
        """The settings by which a generation that needs a call is asked for, with the place that says each."""
        key = (generation.stage, generation.template_id, generation.llm_model_id)
        if key not in self._resolved:
            template = self.catalogs.templates[generation.stage][generation.template_id]
            model = self.catalogs.models[generation.llm_model_id]
            self._resolved[key] = resolved_settings(self.settings, generation.stage, model, template)
        return self._resolved[key]

    def _specification(self, generation: Generation) -> Specification:
        template = self.catalogs.templates[generation.stage][generation.template_id]
        parent = self.membership.parent(generation)
        parent_key = (parent.stage, parent.gen_id) if parent else None
        row: dict[str, Any] = {
            "stage": generation.stage,
            "gen_id": generation.gen_id,
            "cohort_id": generation.cohort_id,
            "parent_gen_id": generation.parent_gen_id,
            "combo_id": generation.combo_id,
            "llm_model_id": generation.llm_model_id,
            "replicate": generation.replicate,
            "template": template,
            "template_digest": self._source(template)[1],
            "definition": (definition := self.membership.stages[generation.stage]),
            "further": tuple((one.stage, one.gen_id) for one in self.membership.further(generation)),
        }
        if template.generator == "copy" and parent_key:
            return CopySpecification(**row, parent=parent_key)
        model = self.catalogs.models[generation.llm_model_id]
        endpoint = endpoint_of(self.settings, model)
        resolved = self.resolved_settings(generation)
        return CallSpecification(
            **row,
            parser=template.parser,
            parser_digest=parser_digest(),
            parent=parent_key,
            concepts=self._concepts(generation.combo_id) if definition.is_first else (),
            model=model.model,
            endpoint=endpoint,
            answerer=self._answerer(endpoint),
            sampling=resolved.sampling,
            prices=(model.usd_per_mtok_in, model.usd_per_mtok_out),
            output_limit_parameter=resolved.output_limit_parameter,
            finish_reasons=self.settings.endpoints[endpoint].finish_reasons,
            context_length=resolved.context_length,
            settings=resolved.found,
        )

    def _concepts(self, combo_id: str) -> tuple[ConceptText, ...]:
        combo = self.combos[combo_id]
        return tuple(self._concept(concept_id, combo.description_level) for concept_id in combo.concept_ids)

    def _concept(self, concept_id: str, level: str) -> ConceptText:
        key = (concept_id, level)
        if key not in self._concept_texts:
            name, path = self.catalogs.concepts[concept_id].name, self.paths.concept_text(level, concept_id)
            digest = concept_digest(name, read_description(path, concept_id))
            self._concept_texts[key] = ConceptText(concept_id, name, path, digest)
        return self._concept_texts[key]

    def texts_of(self, template: Template) -> list[str]:
        """The files that a template is rendered from: its own, if it is one, and the shared texts that it includes."""
        source, _ = self._source(template)
        return [*([template.path] if template.path else []), *(one.path for one in source.shared)]

    def _source(self, template: Template) -> tuple[TemplateSource, str]:
        name = template_name(template)
        if name not in self._sources:
            source = load_template_source(template)
            self._sources[name] = (source, source.digest)
        return self._sources[name]

    def _answerer(self, endpoint: str) -> str:
        if endpoint not in self._answerers:
            self._answerers[endpoint] = answerer(self.settings, endpoint)
        return self._answerers[endpoint]


def answerer(settings: Settings, endpoint: str) -> str:
    """Who answers at an endpoint.

    Its base URL without a slash at its end; the command of the server that is started for it, without its port; or the
    embedded model's name and version.
    """
    from daydreaming.llm.embedded import embedded_identity

    configured = settings.endpoints[endpoint]
    if configured.kind == "embedded":
        return embedded_identity()
    return f"local:{shlex.join(configured.command)}" if configured.start else (configured.base_url or "").rstrip("/")


def load_study(config: Mapping[str, Any] | Settings) -> Study:
    """Read and check everything that a run of the configured cohort, or of the configured slice of it, needs.

    Raises InputError with all faults that were found; reads only.
    """
    settings = config if isinstance(config, Settings) else settings_from_config(config)
    reading = _sound(read_catalogs(settings))
    combos = load_combos(settings, reading.catalogs)
    cohort_id = cohort_id_for(settings, reading.catalogs)
    membership = load_membership(settings, reading.catalogs, combos, cohort_id)
    if settings.slice is not None:
        membership = membership_of_slice(membership, Slice.parse(settings.slice))
    return _checked(Study(settings, reading.catalogs, combos, membership), reading)


def study_to_build(settings: Settings) -> Study:
    """Read and check the cohort as it would be built now, from its spec or the catalogs, whatever table is there.

    Raises InputError with all faults that were found; reads only.
    """
    reading = _sound(read_catalogs(settings))
    plan = plan_cohort(settings, reading.catalogs)
    combos = load_combos(settings, reading.catalogs) | {combo.combo_id: combo for combo in plan.combos}
    rows = {(row.stage, row.gen_id): row for row in plan.generations}
    membership = Membership(plan.cohort_id, rows, settings.stage_table)
    return _checked(Study(settings, reading.catalogs, combos, membership), reading)


def _sound(reading: CatalogReading) -> CatalogReading:
    if reading.faults:
        raise InputError(reading.faults)
    return reading


def _checked(study: Study, reading: CatalogReading) -> Study:
    """The study; raises InputError where a template does not render, or the budget cannot hold."""
    used = dict.fromkeys((row.stage, row.template_id) for row in study.membership.generations.values())
    templates = (study.catalogs.templates[stage][template_id] for stage, template_id in used)
    called = called_by(study.membership.generations.values(), study.catalogs)
    of_templates = template_faults(study.settings, reading, templates, strict=False)
    if faults := [*of_templates, *budget_faults(study.settings, study.catalogs, called)]:
        raise InputError(faults)
    return study


def budget_faults(settings: Settings, catalogs: Catalogs, called: Iterable[Called]) -> list[Fault]:
    """Return why a budget in US dollars cannot hold: a call's price needs an upper bound.

    `called` are the stages, templates and models that are called.
    """
    if settings.budget_usd is None:
        return []
    faults = []
    for stage, template_id, model_id in sorted(set(called)):
        model, template = catalogs.models[model_id], catalogs.templates[stage][template_id]
        resolved = resolved_settings(settings, stage, model, template)
        if None in (model.usd_per_mtok_in, model.usd_per_mtok_out):
            problem = f"budget_usd is set, but the model {model_id!r} has no prices."
            cure = "Fill in usd_per_mtok_in and usd_per_mtok_out (0 for a free model)."
            faults.append(Fault(str(settings.paths.models), problem, cure, column="usd_per_mtok_in"))
        elif resolved.sampling.max_tokens is None and model.usd_per_mtok_out:
            problem = f"budget_usd is set, but a {stage} by {model_id!r} may be of any length."
            place = resolved.place("max_tokens") or f"stages.{stage}.max_tokens"
            is_configured = place.startswith(("stages.", "endpoints.", "models."))
            where = ("config.yaml", place) if is_configured else (place, None)
            faults.append(Fault(where[0], problem, "Set max_tokens.", key=where[1]))
    return list(dict.fromkeys(faults))
