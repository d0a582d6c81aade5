"""What no cohort needs is moved aside: the rest stays current, what comes back into a cohort is not paid for again."""

from __future__ import annotations

from pathlib import Path

from fault_study import FaultStudy, finish, wait_for_calls

from provider import Provider, faults
from studies import Study


def set_active(study: Study, active: bool) -> None:
    """Take a draft template out of the cohort, or into it, and build it anew."""
    words = ["contrast,Contrast,llm,essay_block,true", "contrast,Contrast,llm,essay_block,false"]
    study.edit("1_raw/draft_templates.csv", *(reversed(words) if active else words))
    study.build(force=True)


def test_the_rest_stays_current_and_what_comes_back_is_not_paid_for(copied: Study):
    texts = copied.parsed_texts()
    set_active(copied, active=False)
    output = copied.script("purge.py").output
    assert "Nothing was moved" in output
    assert copied.parsed_texts() == texts
    assert "Moved to data/archive" in copied.script("purge.py", "--apply").output
    left = copied.parsed_texts()
    assert left == {path: text for path, text in texts.items() if path in left}
    assert len(left) == len(texts) / 2
    assert copied.run("-j4").calls == ()
    set_active(copied, active=True)
    assert copied.run("-j4").calls == ()
    assert copied.parsed_texts() == texts


def test_all_of_it_comes_back(copied: Study):
    before = {path: state for path, state in copied.snapshot().items() if not path.startswith(("1_raw", "cohorts"))}
    set_active(copied, active=False)
    copied.script("purge.py", "--apply")
    copied.script("purge.py", "--restore")
    set_active(copied, active=True)
    after = copied.snapshot()
    assert {path: after.get(path) for path in before} == before
    assert copied.run("-j4").calls == ()


def test_nothing_moves_while_a_run_goes_on(tmp_path: Path, provider: Provider):
    study = FaultStudy.with_chains(tmp_path / "study", provider, 4)
    study.write("gens/draft/unlisted/parsed.txt", "A text.\n")
    provider.script([faults.reply_slowly(2)])
    calls = provider.calls
    process = study.start("-j2")
    wait_for_calls(provider, calls + 1, process)
    output = study.script("purge.py", "--apply", code=1).output
    assert "a run of Snakemake goes on here" in output
    provider.script([])
    finish(process)
    study.script("purge.py", "--apply")
    assert (study.data / "archive/gens/draft/unlisted/parsed.txt").exists()
