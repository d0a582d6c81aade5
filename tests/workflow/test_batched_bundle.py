"""What was built one after the other, together: added stages and comparisons, by batches, and packed into a bundle."""

from __future__ import annotations

from pathlib import Path

from provider import Provider
from studies import Choice, Study
from studies.study import PROJECT

STAGES = {
    "critique": {"parent": "essay", "makes": "text"},
    "comparison": {"parent": "essay", "makes": "preference"},
}
STARTS = 5


def test_a_study_of_other_stages_goes_by_batches_into_a_bundle_that_is_the_same_elsewhere(tmp_path: Path):
    with Provider(api_key="none") as account:
        choice = Choice(
            essays=("developed", "plain"),
            config={"stages": STAGES},
            added={"comparison": ("bolder",), "critique": ("strict",)},
        )
        study = Study.create(tmp_path / "study", account, choice)
        study.build()
        bundle = study.paths.cohort("c1").bundle
        for start in range(STARTS):
            said = study.run("-j4", "bundle", "--config", "batch=true").output
            if "waiting:" not in said:
                break
            assert not bundle.exists(), f"start {start} packed a study that waits:\n{said}"
            account.go_on()
        assert bundle.exists(), said
        assert account.calls == 0
        assert set(account.batches()["bought"].values()) == {1}
        assert len(study.rows("comparison")) == 2 and len(study.rows("critique")) == 2
        program = str(PROJECT / "scripts" / "open_bundle.py")
        study.command("python", program, str(bundle), str(tmp_path / "opened"))
        opened = Study(tmp_path / "opened", study.provider)
        told = opened.snakemake("--config", "offline=true").output
        assert "The same, byte for byte: " in told
        assert (opened.paths.cohort("c1").reports / "parsed_preferences.csv").exists()
