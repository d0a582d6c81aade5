"""Reading a spec: every fault with file, line and key, and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohort_fixtures import make_cohort_project
from inputs_fixtures import write
from spec_fixtures import SPEC, faults_of, write_models

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cohort_project(tmp_path, monkeypatch)
    write_models()


# What is written, the line and key of its fault, and words of the message.
FAULTS = {
    "no YAML": ("axes:\n  combo: [a\n", 3, None, "is not YAML"),
    "a key twice": ("axes: {}\naxes: {}\n", 2, "axes", "stands here again, and first in line 1"),
    "a list in place of keys": ("axes: [combo]\n", 1, "axes", "stands where keys are expected"),
    "a text in place of the spec": ("hello\n", 1, None, "stands where keys are expected"),
    "an unknown section": ("axis: {}\n", 1, "axis", "unknown key 'axis'. Did you mean 'axes'?"),
    "an unknown kind of rule": ("rules:\n  tupels: {}\n", 2, "rules.tupels", "Did you mean 'tuples'?"),
    "an unknown axis": (
        "axes:\n  draft_templates: [plain]\n",
        2,
        "axes.draft_templates",
        "Did you mean 'draft_template'?",
    ),
    "an axis twice": (
        "axes:\n  combo: active\n  combo_id: active\n",
        3,
        "axes.combo_id",
        "another name of the axis 'combo'",
    ),
    "an unknown template": (
        "axes:\n  draft_template:\n    - plain\n    - bodl\n",
        4,
        "axes.draft_template",
        "Did you mean 'bold'?",
    ),
    "an unknown model": ("axes: {draft_llm: [writr]}", 1, "axes.draft_llm", "Did you mean 'writer'?"),
    "a model that may not judge": (
        "axes: {evaluation_llm: [poet]}",
        1,
        "axes.evaluation_llm",
        "may not be used for evaluations",
    ),
    "an unknown combo": ("axes: {combo: [nobody]}", 1, "axes.combo", "there is no combo 'nobody'"),
    "an unknown concept": (
        "axes: {combo: {k_of: {concepts: [tyde], k: 1}}}",
        1,
        "axes.combo.k_of.concepts",
        "Did you mean 'tide'?",
    ),
    "too few concepts": (
        "axes: {combo: {k_of: {concepts: [tide], k: 2}}}",
        1,
        "axes.combo.k_of",
        "2 of 1 concepts make 0 combos",
    ),
    "no k": ("axes: {combo: {k_of: {concepts: [tide]}}}", 1, "axes.combo.k_of", "the key 'k' is missing"),
    "a replicate 0": (
        "axes: {draft_replicate: [0]}",
        1,
        "axes.draft_replicate",
        "'0' is not the number of a replicate",
    ),
    "no replicates": ("axes: {draft_replicate: 0}", 1, "axes.draft_replicate", "0 is no number of replicates"),
    "a number of templates": (
        "axes: {draft_template: 3}",
        1,
        "axes.draft_template",
        "only replicates are given by their number",
    ),
    "concepts of templates": (
        "axes: {draft_template: {k_of: {concepts: active, k: 1}}}",
        1,
        "axes.draft_template",
        "only combos",
    ),
    "an empty list": ("axes: {draft_template: []}", 1, "axes.draft_template", "the list is empty"),
    "a word that is none": ("axes: {draft_template: all}", 1, "axes.draft_template", "'all' is not a list of levels"),
    "a subset of nothing": (
        "rules:\n  subsets:\n    draft_template: [blod]\n",
        3,
        "rules.subsets.draft_template",
        "Did you mean 'bold'?",
    ),
    "a tie of one axis": ("rules: {ties: {t: [combo]}}", 1, "rules.ties.t", "Name at least 2"),
    "a tie with nothing in common": (
        "rules:\n  ties:\n    t: [draft_llm, evaluation_llm]\n",
        3,
        "rules.ties.t",
        "no level in common",
    ),
    "two ties of one axis": (
        "rules:\n  ties:\n    s: [draft_llm, essay_llm]\n    t: [essay_llm, evaluation_llm]\n",
        4,
        "rules.ties.t",
        "'s' holds the axis 'essay_llm' already",
    ),
    "a pair without its right side": (
        "rules: {pairs: {p: {left: combo, allowed: [[a, b]]}}}",
        1,
        "rules.pairs.p",
        "'right' is missing",
    ),
    "an unknown side of a pair": (
        "rules:\n  pairs:\n    p:\n      left: draft_templat\n      right: draft_llm\n      allowed: [[plain, poet]]\n",
        4,
        "rules.pairs.p.left",
        "Did you mean 'draft_template'?",
    ),
    "an unknown balance": (
        "rules: {pairs: {p: {left: draft_template, right: draft_llm, balance: up, allowed: [[plain, poet]]}}}",
        1,
        "rules.pairs.p.balance",
        "Use 'left', 'right' or 'both'",
    ),
    "an unknown level of a pair": (
        "rules:\n  pairs:\n    p:\n      left: draft_template\n      right: draft_llm\n"
        "      allowed:\n        - [plain, poet]\n        - [plain, poe]\n",
        8,
        "rules.pairs.p.allowed",
        "Did you mean 'poet'?",
    ),
    "a pair that is none": (
        "rules: {pairs: {p: {left: draft_template, right: draft_llm, allowed: [[plain]]}}}",
        1,
        "rules.pairs.p.allowed",
        "has 1 levels, and the rule 2 axes",
    ),
    "a pair that empties an axis": (
        "rules:\n  subsets: {draft_template: [bold]}\n  pairs:\n"
        "    p: {left: draft_template, right: draft_llm, allowed: [[plain, poet]]}\n",
        4,
        "rules.pairs.p",
        "leaves no level on draft_template, draft_llm",
    ),
    "pairs out of balance": (
        "rules:\n  pairs:\n"
        "    p: {left: draft_template, right: draft_llm, balance: left, "
        "allowed: [[plain, poet], [plain, writer], [bold, poet]]}\n",
        3,
        "rules.pairs.p",
        "plain has 2 partners, bold has 1",
    ),
    "an axis twice in a rule": (
        "rules: {tuples: {t: {axes: [combo, combo], items: [[a, b]]}}}",
        1,
        "rules.tuples.t",
        "names the axis 'combo' twice",
    ),
    "levels of a tuple's axis": (
        "axes:\n  draft_llm: [poet]\nrules: {tuples: {t: {axes: [draft_llm], items: [[writer]]}}}\n",
        2,
        "axes.draft_llm",
        "takes its levels from the rows of the tuple rule 't'",
    ),
    "an unknown level of a tuple": (
        "rules:\n  tuples:\n    t:\n      axes: [draft_llm]\n      items:\n        - [writ]\n",
        6,
        "rules.tuples.t.items",
        "there is no model 'writ'",
    ),
    "rules that leave nothing together": (
        "rules:\n  pairs:\n"
        "    p: {left: draft_template, right: draft_llm, allowed: [[plain, poet]]}\n"
        "    q: {left: draft_template, right: evaluation_llm, allowed: [[bold, judge]]}\n",
        None,
        "rules",
        "no row fits all rules on",
    ),
    "a rule with the name of an axis": (
        "rules: {pairs: {combo: {left: draft_template, right: draft_llm, allowed: [[plain, poet]]}}}",
        1,
        "rules.pairs.combo",
        "has the name of the axis",
    ),
    "two rules of one name": (
        "rules:\n  ties: {t: [draft_llm, essay_llm]}\n  tuples: {t: {axes: [evaluation_llm], items: [[judge]]}}\n",
        3,
        "rules.tuples.t",
        "there is a rule 't' under ties, too",
    ),
    "a name that is none": ("rules: {ties: {'a b': [draft_llm, essay_llm]}}", 1, "rules.ties.a b", "is not a name"),
    "a sample of none": ("sample: {n: 0}", 1, "sample.n", "Write a whole number at least 1"),
    "a sample without n": ("sample: {seed: 1}", 1, "sample", "the key 'n' is missing"),
    "an unknown axis to balance": ("sample: {n: 1, balance: [combos]}", 1, "sample.balance", "Did you mean 'combo'?"),
    "an unknown field": ("output: {field_order: [combos]}", 1, "output.field_order", "Did you mean 'combo'?"),
    "a file that is not there": (
        "axes:\n  draft_llm: '@file:drfats.csv'\n",
        2,
        "axes.draft_llm",
        "Did you mean 'drafts.csv'?",
    ),
    "a file of another kind": (
        "axes: {draft_llm: '@file:models.xlsx'}",
        1,
        "axes.draft_llm",
        "is not a table or a list",
    ),
    "a file outside": (
        "axes: {draft_llm: '@file:../../../../list.txt'}",
        1,
        "axes.draft_llm",
        "lies outside of the project",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_has_its_line_its_key_and_a_cure(case: str):
    text, line, key, words = FAULTS[case]
    write(SPEC.with_name("drafts.csv"), "draft_template\nplain\n")
    write(Path("..") / "list.txt", "plain\n")
    faults = faults_of(text)
    told = "\n".join(map(str, faults))
    assert words in told
    fault = next(fault for fault in faults if words in str(fault))
    assert (fault.file, fault.line, fault.key) == (str(SPEC), line, key)
    assert fault.cure


# What stands in a file beside the spec, the row or line of its fault, and words of the message.
FILES = {
    "an unknown level": ("list.csv", "draft_template\nplain\nbodl\n", 3, "Did you mean 'bold'?"),
    "an empty cell": ("list.csv", "draft_template,note\nplain,\n,x\n", 3, "the cell is empty"),
    "columns of other things": ("list.csv", "a,b\nplain,x\n", 1, "which column has the levels cannot be told"),
    "no rows": ("list.csv", "draft_template\n", 2, "has a header and no rows"),
    "no list": ("list.yaml", "a: b\n", 1, "is not a list of levels"),
    "an unknown level in a text": ("list.txt", "plain\n\nbodl\n", 3, "Did you mean 'bold'?"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_fault_of_a_file_beside_the_spec_is_told_there(case: str):
    name, text, number, words = FILES[case]
    write(SPEC.with_name(name), text)
    (fault,) = faults_of(f"axes: {{draft_template: '@file:{name}'}}")
    assert words in str(fault)
    assert fault.file == str(SPEC.with_name(name))
    assert number in (fault.row, fault.line)


def test_a_table_of_a_rule_needs_the_columns_of_its_axes():
    write(SPEC.with_name("table.csv"), "draft_template,draft_lm\nplain,poet\n")
    (fault,) = faults_of("rules: {tuples: {t: {axes: [draft_template, draft_llm], items: '@file:table.csv'}}}")
    assert "there is no column 'draft_llm'" in fault.problem


def test_all_faults_are_told_at_once():
    told = faults_of("axes: {draft_template: [bodl], draft_llm: [writr], evaluation_llm: [juge]}")
    assert [fault.key for fault in told] == ["axes.draft_template", "axes.draft_llm", "axes.evaluation_llm"]
