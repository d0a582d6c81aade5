"""Whether what was made of a bundle is what it says: every text read again from its reply, every table and page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import msgspec

from daydreaming.base.errors import Fault, GenerationError, InputError, ParseError
from daydreaming.base.paths import CohortFiles, DataPaths
from daydreaming.base.visible_text import visible
from daydreaming.bundle.manifest import DATA, MANIFEST, Manifest, Scope
from daydreaming.bundle.opening import DIGESTS, KEPT, read_manifest
from daydreaming.generation.currency import parsed_text
from daydreaming.generation.judging import read_reply
from daydreaming.generation.prompting import Prompter, model_request
from daydreaming.generation.specification import CallSpecification, Key
from daydreaming.generation.store import text_sha256
from daydreaming.generation.study import Study
from daydreaming.inputs.stages import StageTable
from daydreaming.ledger.metadata import Metadata, read_metadata
from daydreaming.ledger.replies import ReplyStore
from daydreaming.parsers import ParserContext, get_parser
from daydreaming.results.made_results import file_sha256
from daydreaming.results.pivots import build_pivot, pivot_texts
from daydreaming.results.score_table import ScoreRow, parse_score, read_scores, text_digest

PARSED = "parsed.txt"


@dataclass(frozen=True)
class Comparison:
    """How an opened folder compares with its bundle.

    `again` counts the texts that were read again from their replies (or copied from their parents), `as_they_are` those
    that no reply is there for. `different` names what differs, `missing` the results that were not made yet, `results`
    says how many of those in the bundle are compared.
    """

    manifest: Manifest
    texts: int
    again: int
    as_they_are: int
    results: int
    different: list[str]
    missing: list[str]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs and nothing is missing."""
        return not self.different and not self.missing


@dataclass(frozen=True, slots=True)
class OpenedFolder:
    """An opened bundle: what it says of itself, and the digest of each of its texts."""

    manifest: Manifest
    digests: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> OpenedFolder:
        """Read what opening has left. Raises InputError where a folder is none that was opened."""
        kept = folder / KEPT
        try:
            manifest = read_manifest((kept / MANIFEST).read_bytes(), str(kept / MANIFEST))
            digests = msgspec.json.decode((kept / DIGESTS).read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError) as error:
            cure = "Open one first: `python scripts/open_bundle.py BUNDLE.zip FOLDER`."
            raise InputError(Fault(str(folder), f"it is no folder of an opened bundle ({error}).", cure)) from None
        return cls(manifest, digests)


def compare_study(study: Study, opened: OpenedFolder) -> Comparison:
    """Compare an opened study, whose folder is the current one, with its bundle. Writes nothing."""
    return _compared(opened, _texts_of_study(study, opened), opened.manifest.results)


def compare_reduced(opened: OpenedFolder, stages: StageTable) -> Comparison:
    """Compare a bundle without prompts or texts with itself, as far as it goes; the folder is the current one.

    Each text is read again from its raw.txt, each score of the table from its text, each pivot table from the scores.
    """
    manifest = opened.manifest
    texts = ((name, _read_again(Path(name).parent, stages)) for name in opened.digests if _is_text(name))
    tables = {name: sha256 for name, sha256 in manifest.results.items() if PurePosixPath(name).suffix == ".csv"}
    found = _compared(opened, texts, tables)
    files = DataPaths(Path(DATA)).cohort(manifest.cohort)
    return replace(found, different=sorted({*found.different, *_tables_that_differ(files, manifest)}))


def comparison_text(found: Comparison, version_here: str, *, everything: bool = False) -> str:
    """The comparison in one line; where something differs, below it the names, all of them if `everything`."""
    texts = f"{found.texts:,} texts ({found.again:,} read again from their replies"
    texts += f", {found.as_they_are:,} as they are: no reply)" if found.as_they_are else ")"
    compared = f"{found.results - len(found.missing):,} tables and pages"
    parts = [texts, compared] if found.texts else [compared]
    by = f"as in the bundle that DayDreaming {found.manifest.made_by} made"
    if found.is_same:
        return f"The same, byte for byte: {' and '.join(parts)}, {by}."
    lines = []
    if found.different:
        count = f"{len(found.different):,} prompts, replies, texts, tables and pages"
        lines.append(f"Not the same: {count} are not {by}; here is {version_here}.")
    if found.missing:
        what = "are not made yet: `snakemake --config offline=true`"
        lines.append(f"{len(found.missing):,} of {found.results:,} tables and pages {what}.")
    names = [*found.different, *found.missing]
    shown = names if everything else names[:10]
    more = [f"  and {len(names) - len(shown):,} more: --all names them"] if len(shown) < len(names) else []
    return "\n".join([" ".join(lines), *(f"  {visible(name)}" for name in shown), *more])


def _compared(opened: OpenedFolder, texts: Iterable[tuple[str, str | None]], results: Mapping[str, str]) -> Comparison:
    """The comparison of the files that are there, and of texts (None: nothing to make one from) by their names."""
    again = as_they_are = 0
    different = {name for name, sha256 in opened.digests.items() if file_sha256(name) != sha256}
    for name, text in texts:
        if text is None:
            as_they_are += 1
        elif text_sha256(text) == opened.digests[name]:
            again += 1
        else:
            different.add(name)
    missing = sorted(name for name in results if not os.path.lexists(name))
    there = results.keys() - set(missing)
    different |= {name for name in there if file_sha256(name) != results[name]}
    count = sum(_is_text(name) for name in opened.digests)
    return Comparison(opened.manifest, count, again, as_they_are, len(results), sorted(different), missing)


def _texts_of_study(study: Study, opened: OpenedFolder) -> Iterator[tuple[str, str | None]]:
    """The texts of the bundle as their prompts and replies give them now, by their names."""
    prompter, replies = Prompter(), ReplyStore(study.paths)
    for key in study.membership.generations:
        name = f"{DATA}/{study.files(*key).parsed.relative_to(study.paths.root).as_posix()}"
        if name in opened.digests:
            yield name, _made_again(study, key, prompter, replies)


def _made_again(study: Study, key: Key, prompter: Prompter, replies: ReplyStore) -> str | None:
    """The text of a generation as its prompt and its stored reply give it now; None where nothing is there for it.

    "" where its prompt is not that of its reply any more, or the reply cannot be used.
    """
    specification, record = study.specification(*key), read_metadata(study.files(*key).metadata).metadata
    try:
        texts = [parsed_text(study.paths, *source) for source in specification.sources]
        if not isinstance(specification, CallSpecification):
            return texts[0]
        if record.adopted or record.request_sha256 is None:
            return None
        prompt = prompter.prompt(prompter.sources(specification), texts)
        request = model_request(specification, prompt, max(0, record.attempts - 1))
        reply = replies.load(request.sha256)
        return "" if reply is None else str(read_reply(reply, specification))
    except GenerationError:
        return ""


def _read_again(folder: Path, stages: StageTable) -> str | None:
    """The text of a generation as its parser reads it from raw.txt; None for a copy, and where no reply is there."""
    record = read_metadata(folder / "metadata.json").metadata
    with suppress(OSError, UnicodeDecodeError):
        raw = (folder / "raw.txt").read_bytes().decode("utf-8")
        # Which score of a JSON reply counts, only its template says.
        if record.adopted or record.fingerprint is None or record.parser_name == "json_score":
            return None
        with suppress(ParseError, InputError, KeyError):
            return str(_parser(record, stages)(raw, _context(record)))
        return ""
    return None


def _parser(record: Metadata, stages: StageTable) -> Callable[[str, ParserContext], str]:
    stage = stages[record.stage]
    return get_parser(stage.makes, record.parser_name if stage.parsers else None)


def _context(record: Metadata) -> ParserContext:
    scale = {name: value for name in ("score_min", "score_max") if (value := getattr(record, name)) is not None}
    return ParserContext(record.stage, record.gen_id, record.template_id or "", **scale)


def _tables_that_differ(files: CohortFiles, manifest: Manifest) -> Iterator[str]:
    """The pivot tables that are not those of the scores, and the scores that are not those of their texts."""
    rows = read_scores(files.scores)
    for name, text in pivot_texts(build_pivot(rows)).items():
        name = f"{DATA}/{(files.reports / name).relative_to(DATA).as_posix()}"
        if manifest.results.get(name) != text_digest(text):
            yield name
    if manifest.scope is Scope.ONLY_SCORES:
        return
    for row in rows:
        parsed = DataPaths(Path(DATA)).generation(row.stage or "evaluation", row.gen_id).parsed
        if row.score is not None and _score(parsed, row) != row.score:
            yield parsed.as_posix()


def _score(parsed: Path, row: ScoreRow) -> float | None:
    try:
        return parse_score(parsed.read_text(encoding="utf-8"), row.scale)
    except (OSError, UnicodeDecodeError):
        return None


def _is_text(name: str) -> bool:
    return name.endswith(f"/{PARSED}")
