"""The batch services of the server, asked by the providers' own clients."""

import json

import anthropic
import openai
import pytest

from provider import Provider
from provider.batch_faults import BatchFault


def openai_of(provider: Provider) -> openai.OpenAI:
    return openai.OpenAI(base_url=provider.base_url, api_key=provider.api_key, max_retries=0)


def anthropic_of(provider: Provider, key: str = "test-key") -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=provider.base_url.removesuffix("/v1"), api_key=key, max_retries=0)


def lines(*ids: str, model: str = "model-a", **more) -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": "Tides."}]}
    rows = [
        {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": {**body, "seed": number}, **more}
        for number, name in enumerate(ids)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def created(client: openai.OpenAI, content: bytes, **more) -> openai.types.Batch:
    uploaded = client.files.create(file=("requests.jsonl", content), purpose="batch")
    return client.batches.create(
        input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h", **more
    )


def rows_of(client: openai.OpenAI, file_id: str | None) -> list[dict]:
    return [] if file_id is None else [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def params(text: str = "Tides.", **more) -> dict:
    return {"model": "model-a", "max_tokens": 10, "messages": [{"role": "user", "content": text}], **more}


@pytest.fixture
def provider():
    with Provider() as started:
        yield started


def test_an_openai_batch_goes_from_validating_to_completed(provider):
    with openai_of(provider) as client:
        batch = created(client, lines("a", "b"), metadata={"mine": "yes"})
        assert (batch.status, batch.metadata, batch.output_file_id) == ("validating", {"mine": "yes"}, None)
        assert batch.expires_at - batch.created_at == 86_400
        assert client.batches.retrieve(batch.id).status == "in_progress"
        provider.go_on()
        batch = client.batches.retrieve(batch.id)
        assert (batch.status, batch.request_counts.completed, batch.error_file_id) == ("completed", 2, None)
        rows = rows_of(client, batch.output_file_id)
    assert {row["custom_id"] for row in rows} == {"a", "b"}
    assert all(row["response"]["body"]["object"] == "chat.completion" for row in rows)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"{", "invalid_json_line"),
        (lines("a", "a"), "duplicate_custom_id"),
        (lines("a") + b"\n" + lines("b", model="model-b"), "mismatched_model"),
        (lines("a", url="/v1/embeddings"), "invalid_url"),
    ],
)
def test_an_openai_batch_that_is_not_valid_fails_and_buys_nothing(provider, content, code):
    with openai_of(provider) as client:
        batch = client.batches.retrieve(created(client, content).id)
    assert (batch.status, batch.errors.data[0].code) == ("failed", code)
    assert provider.batches()["bought"] == {}


def test_an_expired_openai_batch_has_what_was_executed_and_says_what_was_not(provider):
    with openai_of(provider) as client:
        batch = created(client, lines("a", "b"))
        provider.go_on("expired", share=0.5)
        batch = client.batches.retrieve(batch.id)
        assert batch.status == "expired"
        assert [row["custom_id"] for row in rows_of(client, batch.output_file_id)] == ["a"]
        assert rows_of(client, batch.error_file_id)[0]["error"]["code"] == "batch_expired"


def test_openai_batches_are_listed_page_by_page_newest_first(provider):
    with openai_of(provider) as client:
        made = [created(client, lines("a")).id for _ in range(5)]
        assert [batch.id for batch in client.batches.list(limit=2)] == made[::-1]


def test_a_canceled_batch_of_anthropic_keeps_what_came(provider):
    with anthropic_of(provider) as client:
        batches = client.messages.batches
        batch = batches.create(requests=[{"custom_id": name, "params": params(name)} for name in ("a", "b")])
        assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 2)
        provider.go_on("answer", share=0.5)
        assert batches.cancel(batch.id).processing_status == "canceling"
        assert batches.retrieve(batch.id).processing_status == "ended"
        kinds = {row.custom_id: row.result.type for row in batches.results(batch.id)}
    assert kinds == {"a": "succeeded", "b": "canceled"}


def test_anthropic_checks_params_only_when_it_executes_them(provider):
    with anthropic_of(provider) as client:
        batch = client.messages.batches.create(requests=[{"custom_id": "a", "params": params(seed=1)}])
        provider.go_on()
        (row,) = client.messages.batches.results(batch.id)
    assert row.result.type == "errored"
    assert row.result.error.error.type == "invalid_request_error"


@pytest.mark.parametrize("ids", [["a", "a"], ["a.b"], ["x" * 65], []])
def test_anthropic_refuses_ids_that_its_reference_does_not_allow(provider, ids):
    with anthropic_of(provider) as client, pytest.raises(anthropic.BadRequestError):
        client.messages.batches.create(requests=[{"custom_id": name, "params": params()} for name in ids])


def test_a_batch_of_anthropic_has_no_metadata(provider):
    with anthropic_of(provider) as client, pytest.raises(anthropic.BadRequestError):
        client.messages.batches.create(
            requests=[{"custom_id": "a", "params": params()}], extra_body={"metadata": {"mine": "yes"}}
        )


def test_anthropic_answers_messages_and_demands_its_key(provider):
    with anthropic_of(provider) as client:
        assert client.messages.create(**params()).stop_reason == "end_turn"
    with anthropic_of(provider, key="wrong") as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(**params())


def test_a_lost_answer_leaves_a_batch_that_was_accepted(provider):
    with openai_of(provider) as client:
        provider.batch_faults(BatchFault("create", "lost answer"))
        with pytest.raises(openai.APIConnectionError):
            created(client, lines("a"))
        assert len(list(client.batches.list())) == 1
        provider.batch_faults(BatchFault("create", "reset"))
        with pytest.raises(openai.APIConnectionError):
            created(client, lines("a"))
        assert len(list(client.batches.list())) == 1


@pytest.mark.parametrize(
    ("effect", "seen"), [("twice", 4), ("missing", 1), ("stranger", 3), ("other twice", 3), ("swapped", 2)]
)
def test_results_come_damaged(provider, effect, seen):
    with openai_of(provider) as client:
        batch = created(client, lines("a", "b"))
        provider.go_on()
        provider.batch_faults(BatchFault("results", effect))
        rows = rows_of(client, client.batches.retrieve(batch.id).output_file_id)
    assert len(rows) == seen


def test_a_vanished_batch_is_unknown(provider):
    with openai_of(provider) as client:
        batch = created(client, lines("a"))
        provider.go_on("vanish")
        with pytest.raises(openai.NotFoundError):
            client.batches.retrieve(batch.id)
