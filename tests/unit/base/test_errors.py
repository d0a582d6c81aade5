from __future__ import annotations

import pickle

import pytest

from daydreaming.base.errors import FailureKind, Fault, GenerationError, InputError


def test_a_fault_says_where_it_is_what_it_is_and_what_to_do():
    fault = Fault("models.csv", "the id is used twice.", "Rename one.", row=4, column="id")
    assert str(fault) == "models.csv, row 4, column 'id': the id is used twice. Rename one."
    assert str(Fault("config.yaml", "unknown key.", "Remove it.", key="a.b")).startswith("config.yaml, key 'a.b': ")
    assert str(Fault("a.csv", "it is empty.", "Fill it.")) == "a.csv: it is empty. Fill it."


def test_an_input_error_holds_all_faults_one_a_line():
    faults = [Fault("a.csv", "bad.", "Fix."), Fault("b.csv", "bad.", "Fix.", row=2)]
    error = InputError(fault for fault in faults)
    assert error.faults == tuple(faults)
    assert str(error).splitlines() == [str(fault) for fault in faults]
    assert InputError(faults[0]).faults == (faults[0],)


def test_a_generation_error_names_its_kind():
    error = GenerationError(FailureKind.RATE_LIMIT, "Too many calls.")
    assert (error.kind, error.message) == ("rate_limit", "Too many calls.")
    assert str(error) == "[rate_limit] Too many calls."


@pytest.mark.parametrize(
    "error",
    [GenerationError(FailureKind.API, "No."), InputError([Fault("a.csv", "bad.", "Fix."), Fault("b", "bad.", "Fix.")])],
)
def test_errors_can_be_sent_to_another_process(error: Exception):
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)
