"""What may stand in a spec: the model that its JSON schema and the messages about wrong keys and values come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from daydreaming.base.errors import Fault
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.inputs.cohort_spec.axes import AxisTable, axis_table
from daydreaming.inputs.cohort_spec.yaml_lines import Document
from daydreaming.inputs.stages import DEFAULT_STAGES

FILE = "@file:"
ACTIVE = "active"
MOST_REPLICATES = 100_000
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_REFERENCE = {"type": "string", "pattern": f"^{FILE}."}
_LEVELS_CURE = f"Write a list such as [a, b], or '{FILE}list.csv'."


def _fault(problem: str, cure: str) -> PydanticCustomError:
    # The texts go in as values: braces in them are no placeholders.
    return PydanticCustomError("spec", "{problem}", {"problem": problem, "cure": cure})


def _axis_name(name: str, info: ValidationInfo) -> str:
    table: AxisTable = info.context or axis_table(DEFAULT_STAGES)
    if name not in table.names:
        # Those with other names are known, too, but one name of each is enough to choose from.
        known = f"The axes are: {', '.join(table.axes)}."
        raise _fault(f"there is no axis {name!r}.", did_you_mean(name, table.names, known))
    return name


def _levels(value: Any) -> Any:
    """A list of levels, or a reference to a file that holds them."""
    if isinstance(value, str) and value.startswith(FILE) and len(value) > len(FILE):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
        return value
    if value == []:
        raise _fault("the list is empty.", "Name at least one level.")
    raise _fault(f"{_shown(value)} is not a list of levels.", _LEVELS_CURE)


def _table(value: Any) -> Any:
    """A list of lists, or a reference to a file that holds them."""
    if isinstance(value, str) and value.startswith(FILE) and len(value) > len(FILE):
        return value
    if isinstance(value, list) and value and all(isinstance(one, list) for one in value):
        return value
    raise _fault(f"{_shown(value)} is not a list of rows.", f"Write rows such as [a, b], or '{FILE}table.csv'.")


def _axis_value(value: Any) -> Any:
    """The levels of an axis in one of the forms that there are."""
    if value is None or isinstance(value, dict) or value == ACTIVE:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        if not 1 <= int(value) <= MOST_REPLICATES:
            raise _fault(f"{value} is no number of replicates.", f"Write a number from 1 to {MOST_REPLICATES:,}.")
        return value
    try:
        return _levels(value)
    except PydanticCustomError as error:
        problem = (error.context or {})["problem"]
        raise _fault(problem, f"Write a list such as [a, b], {ACTIVE}, or '{FILE}list.csv'.") from None


def _form(value: Any) -> str:
    return "choice" if isinstance(value, dict) else "list" if isinstance(value, list) else "text"


def _as_tie(value: Any) -> Any:
    return {"axes": value} if isinstance(value, list) else value


_USUAL = "|".join(DEFAULT_STAGES.names)
# An editor knows the axes of the usual stages, and what those of others look like.
_AXIS_SCHEMA = {
    "anyOf": [
        {"type": "string", "enum": list(axis_table(DEFAULT_STAGES).names)},
        {"type": "string", "pattern": f"^(?!(?:{_USUAL})_)[a-z][a-z0-9_]*_(?:template|llm|replicate)$"},
    ]
}
AxisName = Annotated[str, AfterValidator(_axis_name), WithJsonSchema(_AXIS_SCHEMA)]
RuleName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
Levels = Annotated[
    list[str] | str,
    BeforeValidator(_levels),
    WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1, "items": _SCALAR}, _REFERENCE]}),
]
Table = Annotated[
    list[list[Any]] | str,
    BeforeValidator(_table),
    WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1, "items": {"type": "array", "items": {}}}, _REFERENCE]}),
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ChoiceOfConcepts(_Model):
    """All choices of k concepts."""

    concepts: Levels | Literal["active"] = Field(description="The concepts, or `active`.")
    k: int = Field(ge=1, le=1000, description="How many concepts make a combo.")


class ComboChoice(_Model):
    """Combos that are made of concepts."""

    k_of: ChoiceOfConcepts = Field(description="All choices of k of these concepts.")


_AXIS_FORMS = {
    "anyOf": [
        {"type": "null"},
        {"type": "string", "const": ACTIVE},
        {"type": "integer", "minimum": 1, "maximum": MOST_REPLICATES},
        {"type": "array", "minItems": 1, "items": _SCALAR},
        _REFERENCE,
        {"$ref": "#/$defs/ComboChoice"},
    ]
}
AxisValue = Annotated[
    Annotated[list[str], Tag("list")] | Annotated[str | None, Tag("text")] | Annotated[ComboChoice, Tag("choice")],
    Discriminator(_form),
    BeforeValidator(_axis_value),
]


class TieRule(_Model):
    """Axes that move together: only levels that all of them have."""

    axes: list[AxisName] = Field(min_length=2, description="The axes.")


class PairRule(_Model):
    """Which levels of two axes go together."""

    left: str = Field(description="An axis, or the name of a tie or a tuple rule.")
    right: str = Field(description="An axis, or the name of a tie or a tuple rule.")
    allowed: Table = Field(description="The allowed pairs.")
    balance: Literal["left", "right", "both"] | None = Field(
        default=None, description="Whose levels must all have equally many partners."
    )


class TupleRule(_Model):
    """Rows of several axes: their levels are what stands here."""

    axes: list[str] = Field(min_length=1, description="The axes, or names of ties.")
    items: Table = Field(description="The rows, each with a level for each axis.")


class Rules(_Model):
    """What limits the crossing, applied in this order."""

    subsets: dict[AxisName, Levels] | None = Field(default=None, description="The levels of an axis that are kept.")
    ties: (
        dict[RuleName, Annotated[TieRule, BeforeValidator(_as_tie, json_schema_input_type=TieRule | list[AxisName])]]
        | None
    ) = Field(default=None, description="Axes that always have the same level.")
    pairs: dict[RuleName, PairRule] | None = Field(default=None, description="Pairs of levels that are allowed.")
    tuples: dict[RuleName, TupleRule] | None = Field(default=None, description="Rows of several axes.")


class SampleRule(_Model):
    """A fraction of the crossing."""

    n: int = Field(ge=1, description="How many rows, of which each is one evaluation.")
    seed: int = Field(default=0, ge=0, description="Which rows. The same seed gives the same ones.")
    balance: list[AxisName] = Field(default=[], description="Axes whose levels occur equally often, within one.")


class ComparisonRule(_Model):
    """Which pairs of texts of one combo a stage compares, each in both orders."""

    choose: Literal["all", "sample", "swiss"] = Field(default="all", description="How the pairs are chosen.")
    n: int | None = Field(default=None, ge=1, description="With sample: how many pairs, over all combos.")
    rounds: int | None = Field(default=None, ge=1, le=1000, description="With swiss: at most so many rounds.")
    seed: int = Field(default=0, ge=0, description="Which pairs. The same seed gives the same ones.")


class Output(_Model):
    """Accepted from specs of the original project; a membership has its own columns and order."""

    field_order: list[str] | None = Field(default=None, description="No effect.")


class SpecModel(_Model):
    """A cohort: axes, the rules that limit their crossing, and the fraction of it that is made."""

    axes: dict[AxisName, AxisValue] | None = Field(default=None, description="The levels of each axis.")
    rules: Rules | None = Field(default=None, description="What limits the crossing, applied in this order.")
    sample: SampleRule | None = Field(default=None, description="A fraction of the crossing.")
    comparisons: dict[str, ComparisonRule] | None = Field(
        default=None, description="Which pairs a stage that makes preferences compares, by its name."
    )
    output: Output | None = Field(default=None, description="No effect.")


@cache
def spec_schema() -> Mapping[str, Any]:
    """The JSON schema of a spec."""
    schema = SpecModel.model_json_schema()
    axes = next(one for one in schema["properties"]["axes"]["anyOf"] if one.get("type") == "object")
    # What stands in a file is a number or a list; what the model sees are texts.
    axes["additionalProperties"] = _AXIS_FORMS
    subsets = schema["$defs"]["Rules"]["properties"]["subsets"]["anyOf"]
    for mapping in (axes, next(one for one in subsets if one.get("type") == "object")):
        mapping["propertyNames"] = _AXIS_SCHEMA
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "DayDreaming cohort"}


_MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): SpecModel,
    ("rules",): Rules,
    ("rules", "ties", "*"): TieRule,
    ("rules", "pairs", "*"): PairRule,
    ("rules", "tuples", "*"): TupleRule,
    ("sample",): SampleRule,
    ("comparisons", "*"): ComparisonRule,
    ("output",): Output,
}


def validation_faults(error: ValidationError, document: Document) -> Iterator[Fault]:
    """Yield what the model finds wrong with a spec, each with its line and key."""
    for found in error.errors(include_url=False, include_input=True):
        place = document.place(*found["loc"])
        problem, cure = _in_words(found)
        yield place.fault(problem, cure)


def _in_words(found: ErrorDetails) -> tuple[str, str]:
    """What one of the model's findings says to a user, and what to do."""
    context, kind, last = found.get("ctx", {}), found["type"], str(found["loc"][-1]) if found["loc"] else ""
    known = _known_keys(found["loc"][:-1])
    if "problem" in context:
        return context["problem"], context["cure"]
    if kind == "extra_forbidden":
        return f"unknown key {last!r}.", did_you_mean(last, known, f"Remove it; the keys here are: {', '.join(known)}.")
    if kind == "missing":
        return f"the key {last!r} is missing.", "Add it."
    shown = _shown(found["input"])
    if kind == "literal_error":
        return f"{shown} is not known.", did_you_mean(str(found["input"]), [], f"Use {context['expected']}.")
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return f"{shown} stands where keys are expected.", "Write `key: value` lines."
    if kind.startswith("int") or kind in ("greater_than_equal", "less_than_equal"):
        bounds = [f"at least {context['ge']}"] if "ge" in context else []
        bounds += [f"at most {context['le']}"] if "le" in context else []
        return f"{shown} is not allowed.", f"Write a whole number{' ' if bounds else ''}{' and '.join(bounds)}."
    if kind == "too_short":
        return "the list is too short.", f"Name at least {context['min_length']}."
    if kind == "string_pattern_mismatch":
        return f"{shown} is not a name.", "Use letters, digits, '_' and '-'."
    return f"{shown} is not allowed ({found['msg']}).", "Correct it."


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a place of the model."""
    steps = tuple(str(step) for step in location)
    if steps[-1:] == ("k_of",):
        return list(ChoiceOfConcepts.model_fields)
    if steps[:1] == ("axes",):
        return list(ComboChoice.model_fields)
    pattern = (*steps[:2], "*") if len(steps) > 2 else steps
    if steps[:1] == ("comparisons",) and len(steps) > 1:
        pattern = ("comparisons", "*")
    return list(_MODELS[pattern].model_fields) if pattern in _MODELS else []


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
