"""A key is sent to its endpoint and is written nowhere: not below the study, not on the terminal."""

import pytest

from provider import Answer, Provider, faults
from studies import Study

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def keyed(make_study) -> Study:
    return make_study(drafts=("thread", "contrast"), config={"endpoints": {"local": {"api_key_env": "SECRET_KEY"}}})


def places_of_the_key(study: Study) -> list[str]:
    files = (path for path in study.folder.rglob("*") if path.is_file())
    return [str(path) for path in files if KEY.encode() in path.read_bytes()]


def test_a_key_is_sent_and_never_written(keyed: Study, provider: Provider):
    echo = Answer(status=401, body=f'{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}')
    rules = [faults.rule("echo", echo, prompt_contains="draft contrast"), faults.fault_status(500, first=1)]
    provider.script(rules)
    run = keyed.run("--verbose", code=1, env={"SECRET_KEY": KEY})
    assert run.outcomes["draft thread: made"] == 1
    assert run.outcomes["draft contrast: api"] == 1
    assert all(call.key_came for call in run.calls)
    assert KEY not in run.output
    assert places_of_the_key(keyed) == []


def test_no_request_tells_the_provider_anything_but_the_request(keyed: Study):
    run = keyed.run("drafts", env={"SECRET_KEY": KEY, "ANOTHER_SECRET": "do-not-send"})
    for call in run.calls:
        assert set(call.body) == {"model", "messages", "temperature", "max_tokens", "stream"}
        assert "do-not-send" not in str(call.headers)
