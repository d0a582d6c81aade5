"""The page at the front of a bundle, for those who have nothing but it."""

from __future__ import annotations

from daydreaming.bundle.manifest import CONFIGURATION, CRATE, GENERATIONS, MANIFEST, WORKFLOW, Manifest, Scope

_HOW_TO_OPEN = {
    Scope.ALL: """\
With DayDreaming, every table and page is made again from the replies of the models, without a call:

    python scripts/open_bundle.py BUNDLE.zip FOLDER && cd FOLDER && snakemake --config offline=true

The run ends with a line that says whether all texts and numbers are the same as here.
""",
    Scope.WITHOUT_PROMPTS: """\
Templates, descriptions, prompts and the replies as they were received are not in it. What can be checked without them:

    python scripts/open_bundle.py BUNDLE.zip FOLDER && python scripts/open_bundle.py --check FOLDER

reads every text and score again from the reply that is in it, and makes the tables again from the scores.
""",
    Scope.ONLY_SCORES: """\
No text is in it. What can be checked without one:

    python scripts/open_bundle.py BUNDLE.zip FOLDER && python scripts/open_bundle.py --check FOLDER

makes the tables again from the scores.
""",
}


def guide_text(manifest: Manifest) -> str:
    """The text of README.md."""
    reports = f"data/cohorts/{manifest.cohort}/reports"
    parts = [
        f"- `{reports}/`: tables of scores and statistics; `report.html` and the pages in `read/`, if they are there",
        "- `data/`: what the study was made from and by, in the folders in which it lay",
        f"- `{CONFIGURATION}`: its settings, without keys and headers",
        f"- `{WORKFLOW}/`: the rules of the workflow and the lock of its packages, for reading",
        f"- `{MANIFEST}`: versions, commit, SHA-256 digests; `{CRATE}`: the same for other programs (RO-Crate)",
    ]
    if manifest.generations:
        parts.insert(1, f"- `{GENERATIONS}`: prompts, replies, texts and records, one file a line; texts stand once")
    made_by = f"Made by DayDreaming {manifest.made_by}."
    return "\n".join(
        [
            f"# The cohort {manifest.cohort} of a DayDreaming study",
            "",
            made_by,
            "",
            *parts,
            "",
            _HOW_TO_OPEN[manifest.scope],
        ]
    )
