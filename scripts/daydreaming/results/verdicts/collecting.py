"""The verdicts of a cohort: what each judgement of two texts came to, from the files of its generations."""

from __future__ import annotations

import hashlib

from daydreaming.base.errors import FailureKind
from daydreaming.generation.currency import State
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation
from daydreaming.results.score_table import require_written
from daydreaming.results.scores import INVALID, Trouble, cost_of, trouble_of, trouble_of_ancestor
from daydreaming.results.text_lengths import TextLengths
from daydreaming.results.verdicts.judged_pairs import JudgedPair, judged_pairs
from daydreaming.results.verdicts.verdict_table import VERDICTS, VerdictRow, verdicts_text


def collect_verdicts(study: Study, inspection: Inspection) -> list[VerdictRow]:
    """Return one row for each judgement of two texts, in the order of the membership: a verdict, or why there is none.

    A judgement has a verdict only if it, both texts, and all that they were made from are what is asked now (or
    adopted), and `parsed.txt` holds `A`, `B` or `tie`. `inspection` is a look at the cohort that was just taken.

    Raises InputError for a judgement whose texts are not two of one stage and one combo.
    """
    collector = _Collector(study, inspection)
    return [collector.row(pair) for pair in judged_pairs(study)]


def verdicts_of_now(study: Study, inspection: Inspection) -> list[VerdictRow]:
    """The verdicts of a cohort, whose table must say the same; none of a cohort that compares nothing.

    Raises InputError where the table does not say the same, or is not there.
    """
    rows = collect_verdicts(study, inspection)
    if rows:
        cure = "Make it again with scripts/aggregate_preferences.py."
        require_written(study.cohort_files.preferences, verdicts_text(rows), "the table of verdicts", cure)
    return rows


class _Collector:
    """Looks up judgements, in one look at the whole cohort."""

    def __init__(self, study: Study, inspection: Inspection):
        self._study = study
        self._inspection = inspection
        self._lengths = TextLengths(study, inspection)

    def row(self, pair: JudgedPair) -> VerdictRow:
        judgement, first, second = pair.judgement, pair.first, pair.second
        verdict, trouble, failed = self._outcome(pair)
        files = [self._study.files(one.stage, one.gen_id) for one in (first.generation, second.generation, judgement)]
        return VerdictRow(
            stage=judgement.stage,
            gen_id=judgement.gen_id,
            combo_id=first.combo_id,
            text_stage=first.generation.stage,
            essay_a=first.generation.gen_id,
            essay_b=second.generation.gen_id,
            template_a=first.generation.template_id,
            template_b=second.generation.template_id,
            model_a=first.model,
            model_b=second.model,
            length_a=self._lengths.of(first.generation),
            length_b=self._lengths.of(second.generation),
            rubric=judgement.template_id,
            judge=judgement.llm_model_id,
            order=pair.order,
            replicate=judgement.replicate,
            cohort_id=judgement.cohort_id,
            verdict=verdict,
            error=trouble.error if trouble else "",
            failed_gen_id=failed.gen_id if failed else "",
            error_message=trouble.message if trouble else "",
            look_at=trouble.look_at.as_posix() if trouble else "",
            adopted=any(self._state(one) is State.ADOPTED for one in (*first.chain, *second.chain, judgement)),
            path_a=files[0].parsed.as_posix(),
            path_b=files[1].parsed.as_posix(),
            judgement_path=files[2].parsed.as_posix(),
            metadata_path=files[2].metadata.as_posix(),
            cost_usd=cost_of(self._study, self._inspection, judgement),
        )

    def _state(self, generation: Generation) -> State:
        return self._inspection.state((generation.stage, generation.gen_id))

    def _outcome(self, pair: JudgedPair) -> tuple[str | None, Trouble | None, Generation | None]:
        """The verdict; or what is wrong with the first of all that it depends on that is wrong, and which that is."""
        for text in (pair.first, pair.second):
            for one in text.chain:
                trouble = trouble_of(self._study, self._inspection, one)
                if trouble is not None:
                    return None, trouble_of_ancestor(one, trouble), one
        trouble = trouble_of(self._study, self._inspection, pair.judgement)
        found = trouble or self._verdict(pair.judgement)
        return (found, None, None) if isinstance(found, str) else (None, found, pair.judgement)

    def _verdict(self, judgement: Generation) -> str | Trouble:
        key = (judgement.stage, judgement.gen_id)
        parsed = self._study.files(*key).parsed
        try:
            content = parsed.read_bytes()
        except OSError as error:
            return Trouble(INVALID, f"parsed.txt cannot be read: {error.strerror}", parsed)
        if hashlib.sha256(content).hexdigest() != self._inspection.found(key).parsed_sha256:
            return Trouble(FailureKind.EDITED.value, f"{parsed} changed while it was read", parsed)
        text = content.decode("utf-8", errors="replace").strip()
        if text not in VERDICTS:
            return Trouble(INVALID, f"parsed.txt holds {text[:40]!r} and not A, B or tie", parsed)
        return text
