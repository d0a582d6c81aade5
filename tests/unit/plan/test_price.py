"""What a plan would cost, from what past calls tell."""

from pathlib import Path

import orjson
import pytest
from core_fixtures import copy_of_draft, reply, request, specification

from daydreaming.base.paths import DataPaths
from daydreaming.inputs.records import Template
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.journal import Budget, Journal
from daydreaming.plan.history import History, TokenLength, read_history
from daydreaming.plan.planning import Plan, PlannedGeneration, State
from daydreaming.plan.price import Range, price_plan, total_row

DRAFT_KEY = ("draft", "draft-template", "writer")


def plan_of(*generations: PlannedGeneration) -> Plan:
    return Plan("cohort", generations)


def call(characters: int = 400, **changes) -> PlannedGeneration:
    return PlannedGeneration(specification(**changes), State.CALL, prompt_characters=characters)


def only_row(*generations: PlannedGeneration, history: History | None = None):
    (row,) = price_plan(plan_of(*generations), history or History())
    return row


def test_without_history_a_token_has_four_characters_and_replies_are_as_long_as_allowed():
    row = only_row(call(), call())
    assert row.counts == {State.CALL: 2}
    assert row.prompt_tokens == Range(200, 200)
    assert row.completion_tokens == Range(2000, 2000)
    # 1 USD per million prompt tokens, 2 per million completion tokens.
    assert row.usd == Range(pytest.approx(0.0042), pytest.approx(0.0042))


def test_past_replies_tell_what_is_expected_and_max_tokens_what_is_possible():
    history = History({DRAFT_KEY: (300, 2)}, {"writer": TokenLength(of_prompts=5, replies=2)})
    row = only_row(call(), history=history)
    assert row.prompt_tokens == Range(80, 80)
    assert row.completion_tokens == Range(150, 1000)
    assert row.usd == Range(pytest.approx(0.00038), pytest.approx(0.00208))


def test_the_history_of_another_template_or_model_tells_nothing():
    history = History({("draft", "other", "writer"): (10, 1), ("draft", "draft-template", "poet"): (10, 1)})
    assert only_row(call(), history=history).completion_tokens == Range(1000, 1000)


def test_no_more_is_expected_than_max_tokens_allows():
    history = History({DRAFT_KEY: (5000, 1)})
    assert only_row(call(), history=history).completion_tokens == Range(1000, 1000)


def test_without_max_tokens_there_is_no_upper_bound():
    history = History({DRAFT_KEY: (150, 1)})
    unlimited = call(sampling=StageSettings())
    assert only_row(unlimited, history=history).completion_tokens == Range(150, None)
    assert only_row(unlimited, history=history).usd == Range(pytest.approx(0.0004), None)
    assert only_row(unlimited).usd == Range(None, None)


def test_without_prices_tokens_are_known_and_the_price_is_not_nor_is_the_total():
    rows = price_plan(plan_of(call(prices=(None, 2.0), llm_model_id="free"), call()), History())
    assert [row.llm_model_id for row in rows] == ["free", "writer"]
    assert rows[0].usd == Range(None, None)
    assert total_row(rows).usd == Range(None, None)
    assert total_row(rows).prompt_tokens == Range(200, 200)


def test_what_needs_no_call_costs_nothing():
    states = [state for state in State if state not in (State.CALL, State.UNKNOWN)]
    row = only_row(*(PlannedGeneration(specification(), state) for state in states))
    assert row.usd == row.prompt_tokens == row.completion_tokens == Range(0, 0)


def test_an_unknown_prompt_is_its_template_and_a_text_as_long_as_its_parent_may_be():
    history = History({DRAFT_KEY: (100, 1)}, {"writer": TokenLength(of_prompts=4, of_replies=3, replies=1)})
    draft = call(gen_id="parent-1")
    _, essays = price_plan(plan_of(draft, PlannedGeneration(specification("essay"), State.UNKNOWN)), history)
    around = len("Expand this: ")
    assert essays.prompt_tokens == Range((around + 300) / 4, (around + 3000) / 4)


def test_behind_a_copy_a_text_is_as_long_as_its_draft():
    history = History({DRAFT_KEY: (100, 1)})
    draft = call(gen_id="parent-1")
    essay = PlannedGeneration(copy_of_draft(gen_id="copy-1"), State.COPY)
    evaluation = PlannedGeneration(
        specification("evaluation", parent=("essay", "copy-1"), parent_gen_id="copy-1"), State.UNKNOWN
    )
    *_, row = price_plan(plan_of(draft, essay, evaluation), history)
    around = len("Judge with SCORE: ")
    assert row.prompt_tokens == Range((around + 400) / 4, (around + 4000) / 4)


def test_a_template_that_rejects_the_stand_in_text_is_counted_as_it_is():
    text = "{{ 1 / (links_block | length - 4000) }}"
    picky = Template("essay", "picky", "llm", None, active=True, path=None, content=text)
    unknown = PlannedGeneration(specification("essay", template=picky), State.UNKNOWN)
    _, row = price_plan(plan_of(call(gen_id="parent-1"), unknown), History())
    assert row.prompt_tokens == Range((len(text) + 4000) / 4, (len(text) + 4000) / 4)


def test_history_is_read_from_the_journals_of_all_cohorts_and_the_replies_that_they_name(tmp_path: Path):
    paths = DataPaths(tmp_path)
    write_call(paths, "first", prompt="p" * 120, text="t" * 90)
    write_call(paths, "second", prompt="p" * 80, text="t" * 30)
    write_call(paths, "second", prompt="p" * 999, text="t" * 999, is_stored=False)
    write_call(paths, "second", stage="essay", model="judge", failed=True)
    history = read_history(paths)
    assert history.completion_tokens == {DRAFT_KEY: (60, 3)}
    assert history.token_length("writer") == TokenLength(of_prompts=10, of_replies=3, replies=2)
    assert history.token_length("judge") == TokenLength()


@pytest.mark.parametrize(
    "damage",
    [{"usage": None}, {"usage": {"prompt_tokens": "many"}}, {"text": 5}, None],
    ids=["usage", "tokens", "text", "reply"],
)
def test_a_stored_reply_that_somebody_damaged_tells_nothing(tmp_path: Path, damage: dict[str, object] | None):
    paths = DataPaths(tmp_path)
    write_call(paths, "first")
    (stored,) = paths.replies.glob("*/*.json")
    values = orjson.loads(stored.read_bytes())
    values["reply"] = None if damage is None else {**values["reply"], **damage}
    stored.write_bytes(orjson.dumps(values))
    assert read_history(paths).token_length("writer") == TokenLength()


def test_without_any_journal_there_is_no_history(tmp_path: Path):
    assert read_history(DataPaths(tmp_path)) == History()


def write_call(
    paths: DataPaths,
    cohort: str,
    *,
    stage: str = "draft",
    model: str = "writer",
    prompt: str = "p",
    text: str = "t",
    is_stored: bool = True,
    failed: bool = False,
) -> None:
    """Write the journal and the reply of a call whose usage is 10 prompt and 20 completion tokens."""
    asked = request(messages=({"role": "user", "content": prompt},))
    answered = reply(asked.sha256, text=text)
    journal = Journal(paths.cohort(cohort).journal, Budget(), "run", lambda _: None)
    who = {"stage": stage, "gen_id": "g", "template_id": f"{stage}-template", "llm_model_id": model}
    begun = journal.start_call(None, **who, request_sha256=asked.sha256)
    journal.end_call(begun, **({"kind": "api"} if failed else answered.usage))
    journal.close()
    if is_stored:
        stored = {"request": asked.content, "reply": {"text": text, "usage": answered.usage}}
        path = paths.reply(asked.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(stored))
