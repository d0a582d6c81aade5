"""The stages of a study: what each is made from, what it makes, and where its templates are.

The code takes all that it knows of stages from here. `stages:` in config.yaml changes rows of the table and adds
others; the three that are there by default are the chain that every study had before there was a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.base.paths import TemplatePlace
from daydreaming.inputs.setting_models import StageRow
from daydreaming.parsers import parser_names

Makes: TypeAlias = Literal["text", "score", "preference"]
COMBOS = "combos"
# Rules, tables of the export, words of a spec and of SQL: what a stage or its target cannot be named as.
TAKEN = frozenset(
    (
        *("all", "membership", "plan", "design", "select", "bundle", "score_table", "pivot_tables", "statistics"),
        *("report_page", "export_files", "reading_pages", "scores", "report", "export", "slice", "all_slices"),
        *("essays_by_score", "means_by_template", "disagreements", "failures", "costs", "bundle_file"),
        *("preference_tables", "combo", "combos", "concepts", "combo_concepts", "templates", "models"),
        *("as", "exists", "is", "references", "values"),
    )
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of the table.

    `parent` is the stage whose texts it is made from, "" for the combos; a stage that makes preferences takes two of
    them. `sees` are further stages of its chain whose texts its templates may use. `parsers` are those that its
    templates may name, and none where its replies are taken as they are. `aliases` are other names of its parent's text
    in templates. `table` and `folder`, below data/1_raw, are "" where the usual ones hold.
    """

    name: str
    parent: str = ""
    makes: Makes = "text"
    sees: tuple[str, ...] = ()
    parsers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    table: str = ""
    folder: str = ""

    @property
    def target(self) -> str:
        """What Snakemake makes all of them by: the plural."""
        return f"{self.name}s"

    @property
    def is_first(self) -> bool:
        """Whether it is made from the combos."""
        return not self.parent

    @property
    def judges(self) -> bool:
        """Whether its models are judges, each of whom looks at every text; else writers."""
        return self.makes != "text"

    @property
    def takes_pairs(self) -> bool:
        """Whether it is made from two generations of its parent stage."""
        return self.makes == "preference"

    @property
    def permission(self) -> str:
        """The column of llm_models.csv that allows a model here."""
        return "for_evaluation" if self.judges else "for_generation"

    @property
    def generators(self) -> tuple[str, ...]:
        """How its texts may come to be: a text that has a text as its parent may be a copy of that."""
        return ("llm",) if self.judges or self.is_first else ("llm", "copy")

    @property
    def parent_names(self) -> tuple[str, ...]:
        """The names under which its templates find what it is made from; for a pair one for each."""
        if self.takes_pairs:
            return ("response_a", "response_b")
        if self.makes == "score":
            return ("response",)
        return ("concepts",) if self.is_first else (block_name(self.parent), *self.aliases)

    @property
    def names_of_seen(self) -> tuple[str, ...]:
        """The names under which its templates find the further texts."""
        return tuple(map(block_name, self.sees))


def block_name(stage: str) -> str:
    """The name under which a template finds the text of a stage."""
    return f"{stage}_block"


@dataclass(frozen=True)
class StageTable:
    """The stages of a study, each after those that it is made from."""

    rows: tuple[Stage, ...]

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.rows)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Stage:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Stage]:
        return {stage.name: stage for stage in self.rows}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all stages."""
        return tuple(self._by_name)

    @cached_property
    def places(self) -> tuple[TemplatePlace, ...]:
        """Where the templates of those stages are that have them in places of their own."""
        return tuple(TemplatePlace(one.name, one.table, one.folder) for one in self.rows if one.table or one.folder)

    def chain(self, name: str) -> tuple[str, ...]:
        """A stage and those that it is made from, the first one first."""
        return self._chains[name]

    @cached_property
    def _chains(self) -> Mapping[str, tuple[str, ...]]:
        chains: dict[str, tuple[str, ...]] = {}
        for stage in self.rows:
            chains[stage.name] = (*chains.get(stage.parent, ()), stage.name)
        return chains

    @cached_property
    def last(self) -> tuple[Stage, ...]:
        """The stages where chains end: no other one is made from them, comparisons aside."""
        single = [stage for stage in self.rows if not stage.takes_pairs]
        parents = {stage.parent for stage in single}
        return tuple(stage for stage in single if stage.name not in parents)

    @cached_property
    def scoring(self) -> tuple[Stage, ...]:
        """The stages that make scores."""
        return tuple(stage for stage in self.rows if stage.makes == "score")

    @cached_property
    def comparing(self) -> tuple[Stage, ...]:
        """The stages that make preferences."""
        return tuple(stage for stage in self.rows if stage.takes_pairs)

    @cached_property
    def judged(self) -> tuple[str, ...]:
        """The stages whose texts are judged, in the order of the table; the first one is what the study is about."""
        parents = {stage.parent for stage in self.rows if stage.judges}
        return tuple(name for name in self.names if name in parents)

    @property
    def main(self) -> str:
        """The stage whose texts the first judges judge; without judges, the last that makes a text."""
        first = next((stage.parent for stage in self.rows if stage.judges), None)
        return first if first is not None else self.names[-1]

    @property
    def first_scoring(self) -> str:
        """The first stage that makes scores; "" where none does."""
        return self.scoring[0].name if self.scoring else ""

    def of_table(self, name: str) -> str:
        """The first stage that has the same table of templates as a stage."""
        table = self[name].table or f"{name}_templates.csv"
        return next(one.name for one in self.rows if (one.table or f"{one.name}_templates.csv") == table)

    def of_target(self, target: str) -> str:
        """The stage that a target makes. Raises InputError for one that makes none."""
        found = next((stage.name for stage in self.rows if stage.target == target), None)
        if found is None:
            targets = [stage.target for stage in self.rows]
            cure = did_you_mean(target, targets, f"The targets are: {', '.join(targets)}.")
            raise InputError(Fault("config.yaml", f"no stage is made by the target {target!r}.", cure, key="stages"))
        return found


DRAFT = Stage("draft", parsers=parser_names("text"))
ESSAY = Stage("essay", parent="draft", aliases=("links_block",))
EVALUATION = Stage("evaluation", parent="essay", makes="score", parsers=parser_names("score"))
DEFAULT_STAGES = StageTable((DRAFT, ESSAY, EVALUATION))


def stage_table(given: Mapping[str, StageRow | None]) -> StageTable:
    """The table that a configuration describes: the default rows, changed, taken out (null) and added to.

    Raises InputError with all that is wrong with it, each fault with its key of config.yaml.
    """
    usual = {stage.name: stage for stage in DEFAULT_STAGES}
    names = [name for name in dict.fromkeys((*usual, *given)) if name not in given or given[name] is not None]
    rows = {name: _row(name, given.get(name), usual.get(name)) for name in names}
    faults = [Fault("config.yaml", problem, cure, key=f"stages.{key}") for key, problem, cure in table_faults(rows)]
    if not rows:
        faults = [Fault("config.yaml", "no stage is left.", "Leave one that is made from combos.", key="stages")]
    if faults:
        raise InputError(faults)
    return StageTable(in_order(rows.values()))


def _row(name: str, said: StageRow | None, usual: Stage | None) -> Stage:
    if said is None:
        return usual or Stage(name)
    makes = said.makes or (usual.makes if usual else "text")
    parent = said.parent if said.parent is not None else usual.parent if usual else ""
    parsers = usual.parsers if usual and usual.makes == makes else parser_names(makes)
    return Stage(
        name=name,
        parent="" if parent == COMBOS else parent,
        makes=makes,
        sees=usual.sees if usual and said.sees is None else said.sees or (),
        parsers=parsers if said.parsers is None else said.parsers,
        aliases=usual.aliases if usual else (),
        table=said.templates or "",
        folder=said.template_folder or "",
    )


def in_order(rows: Iterable[Stage]) -> tuple[Stage, ...]:
    """Rows, each after its parent; else as they were. Rows whose parents are not there, or a loop, are left out."""
    left, placed = list(rows), dict[str, Stage]()
    while ready := [row for row in left if row.is_first or row.parent in placed]:
        row = ready[0]
        placed[row.name] = row
        left.remove(row)
    return tuple(placed.values())


def _descends_from_itself(name: str, rows: Mapping[str, Stage]) -> bool:
    seen = {name}
    parent = rows[name].parent
    while parent in rows:
        if parent == name:
            return True
        if parent in seen:
            return False
        seen.add(parent)
        parent = rows[parent].parent
    return False


def table_faults(rows: Mapping[str, Stage]) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with rows that belong together: the key below `stages`, the problem, and the cure."""
    known = tuple(rows)
    table = StageTable(in_order(rows.values()))
    for name, row in rows.items():
        if {name, row.target} & TAKEN or any(other.target == name for other in rows.values()):
            yield name, f"{name!r} or its plural {row.target!r} is the name of something else.", "Name it otherwise."
        if row.parent and row.parent not in rows:
            cure = did_you_mean(row.parent, (*known, COMBOS), f"Name {COMBOS} or a stage: {', '.join(known)}.")
            yield f"{name}.parent", f"there is no stage {row.parent!r}.", cure
        elif row.parent and rows[row.parent].judges:
            problem = f"{row.parent!r} makes no text that another stage could be made from."
            yield f"{name}.parent", problem, "Name a stage that makes text."
        elif _descends_from_itself(name, rows):
            yield f"{name}.parent", f"the stage {name!r} descends from itself: a loop.", "Name another parent."
        elif row.judges and row.is_first:
            yield f"{name}.parent", "a judge needs texts to judge.", "Name a stage that makes text."
        if name in table:
            yield from _faults_of_seen(row, table)
        for parser in row.parsers:
            if parser not in parser_names(row.makes):
                known_parsers = ", ".join(parser_names(row.makes))
                yield f"{name}.parsers", f"no parser {parser!r} reads a {row.makes}.", f"There are: {known_parsers}."
        if row.judges and not row.parsers:
            yield f"{name}.parsers", "a judge's reply is always read.", "Name a parser, or take the key out."
    for name, row in rows.items():
        other = next((rows[one] for one in known if row.table and rows[one].table == row.table), row)
        usual = rows.get(row.table.removesuffix("_templates.csv"), row)
        for one in (other, usual):
            if row.table and (one.makes, one.parsers) != (row.makes, row.parsers):
                problem = f"it has the table of {one.name!r}, and its replies are read in other ways."
                yield f"{name}.templates", problem, "Give both the same `makes` and `parsers`, or each its own table."
                break


def _faults_of_seen(row: Stage, table: StageTable) -> Iterator[tuple[str, str, str]]:
    before = table.chain(row.name)[:-2]
    for seen in row.sees:
        if seen not in before:
            problem = f"{seen!r} is no earlier stage of its chain, {' > '.join(table.chain(row.name))}."
            cure = f"Name one before its parent: {', '.join(before)}." if before else "Take it out."
            yield f"{row.name}.sees", problem, cure
    if row.sees and row.takes_pairs:
        yield f"{row.name}.sees", "a judge who compares sees the two texts alone.", "Take it out."
