"""Every kind of failure, as one evaluation each of the same essay, so that one run of the workflow shows them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daydreaming.base.errors import FailureKind
from daydreaming.cohort.membership import write_membership
from daydreaming.inputs.records import Generation
from provider import Answer, Provider, Rule, faults
from studies import Choice, Study

KEY_VARIABLE = "KEY_OF_THE_LOCKED_ENDPOINT"
FINE = "fine"
HALF_A_THOUGHT = "The first half of a\nthought, cut off in the mid"
NO_SCORE = "A text of two lines\nand no verdict.  \n"


@dataclass(frozen=True)
class Case:
    """An evaluation that fails: its kind, the answer to its calls, how many calls that takes, and what is kept.

    `reply` is the reply that is paid for and stored, None where none came.
    """

    kind: FailureKind
    rule: Callable[..., Rule] | None = None
    calls: int = 1
    reply: str | None = None
    judge: str = "judge"


def answer(**fields: Any) -> Callable[..., Rule]:
    """Return a builder of a rule, as those of `provider.faults` are."""
    return lambda **conditions: faults.rule("case", Answer(**fields), **conditions)


def status(code: int) -> Callable[..., Rule]:
    """Return a builder of a rule that answers with a status."""
    return lambda **conditions: faults.fault_status(code, **conditions)


# A call that may succeed when it is made again is made twice: `max_retries` of the endpoint is 1.
CASES = {
    "bad-request": Case(FailureKind.API, status(400)),
    "wrong-key": Case(FailureKind.API, status(401)),
    "server-error": Case(FailureKind.API, status(500), calls=2),
    "web-page": Case(FailureKind.API, faults.fault_html, calls=2),
    "error-in-200": Case(FailureKind.API, faults.fault_error_in_200, calls=2),
    # It reports tokens: it was paid for, and is not asked for again.
    "no-choices": Case(FailureKind.MALFORMED, answer(reply={"choices": []}), reply=""),
    "rate-limit": Case(FailureKind.RATE_LIMIT, answer(status=429, headers={"retry-after": "0.05"}), calls=2),
    "reset": Case(FailureKind.CONNECTION, lambda **when: faults.fault_reset("during", **when), calls=2),
    "closed": Case(FailureKind.CONNECTION, calls=0, judge="far-judge"),
    "slow": Case(FailureKind.TIMEOUT, answer(hang_s=30), judge="slow-judge"),
    "locked": Case(FailureKind.MISSING_KEY, calls=0, judge="locked-judge"),
    "template": Case(FailureKind.TEMPLATE, calls=0),
    "truncated": Case(
        FailureKind.TRUNCATED,
        answer(message={"content": HALF_A_THOUGHT}, finish_reason="length"),
        reply=HALF_A_THOUGHT,
    ),
    "at-limit": Case(
        FailureKind.TRUNCATED, answer(usage={"completion_tokens": 500}, message={"content": "A\nB"}), reply="A\nB"
    ),
    "refused": Case(FailureKind.REFUSED, faults.fault_refused, reply=""),
    "filtered": Case(
        FailureKind.REFUSED, answer(message={"content": "I\nwas"}, finish_reason="content_filter"), reply="I\nwas"
    ),
    "empty": Case(FailureKind.EMPTY, faults.fault_empty, reply=""),
    "null-content": Case(FailureKind.EMPTY, faults.fault_null_content, reply=""),
    "too-short": Case(FailureKind.TOO_SHORT, answer(message={"content": "SCORE: 5"}), reply="SCORE: 5"),
    "not-utf8": Case(FailureKind.MALFORMED, faults.fault_invalid_utf8, reply="caf\ufffd\ufffd"),
    "no-score": Case(FailureKind.PARSE, answer(message={"content": NO_SCORE}), reply=NO_SCORE),
}
STORED = [name for name, case in CASES.items() if case.reply is not None]
LOST = [name for name in CASES if name not in STORED]


def script(provider: Provider) -> None:
    """Let the provider answer each evaluation's calls as its case says, all others well."""
    rules = [case.rule(prompt_contains=_first_line(name)) for name, case in CASES.items() if case.rule]
    provider.script(rules)


def make_study(folder: Path, provider: Provider) -> Study:
    """Write a study of one essay and an evaluation for each case, whose template and gen_id are the case's name."""
    endpoints = {
        "far": {"base_url": "http://127.0.0.1:9/v1", "max_retries": 0},
        # Longer than a busy provider takes to look: what it has not seen, it has not been asked.
        "slow": {"base_url": provider.base_url, "timeout_s": 4, "max_retries": 0},
        "locked": {"base_url": provider.base_url, "api_key_env": KEY_VARIABLE},
    }
    config = {"endpoints": endpoints, "stages": {"evaluation": {"min_lines": 2}}}
    study = Study.create(folder, provider, Choice(evaluations=(FINE, *CASES), config=config))
    with study.paths.models.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}-judge,lab/{name},lab,{name},false,true,{name},1,2\n" for name in endpoints)
    # The text that inputs are checked with does not have this word; the real one does.
    template = study.template("evaluation", "template")
    template.write_text(f"{template.read_text()}{{% if 'Thought' in response %}}{{{{ verdict }}}}{{% endif %}}\n")
    write_membership(study.paths.cohort("c1").membership, _rows())
    return study


def _rows() -> Sequence[Generation]:
    judges = {FINE: "judge", **{name: case.judge for name, case in CASES.items()}}
    return [
        Generation("draft", "a-draft", "c1", "", "sleep_tides", "thread", "writer"),
        Generation("essay", "an-essay", "c1", "a-draft", "sleep_tides", "copied", ""),
        *(Generation("evaluation", name, "c1", "an-essay", "", name, judge) for name, judge in judges.items()),
    ]


def _first_line(name: str) -> str:
    return f"evaluation {name}\n"
