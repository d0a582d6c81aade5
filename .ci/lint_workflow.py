"""Run `snakemake --lint` and fail for each remark that is not expected here, and for each expected one that is gone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ONE_ENVIRONMENT = "all programs run in the one environment of requirements.lock"
THOUSANDS = "thousands of small jobs, which write their own record: metadata.json"
COMMANDS = ("membership", "plan", "design", "select", "cancel-batches")
TERMINAL = "it prints to the terminal, and that is what it is for"
# Remarks that are expected, each with the reason why it stands.
EXPECTED: dict[str, str] = {
    **{f"{stage}: No log directive defined": THOUSANDS for stage in ("draft", "essay", "evaluation")},
    **{f"{rule}: No log directive defined": TERMINAL for rule in COMMANDS},
    **{
        f"{rule}: Specify a conda environment or container for each rule": ONE_ENVIRONMENT
        for rule in (
            *("draft", "essay", "evaluation", *COMMANDS, "score_table", "pivot_tables", "statistics"),
            *("preference_tables", "report_page", "reading_pages", "export_files", "bundle_file"),
        )
    },
}
FILE = re.compile(r"^Lints for \w+ (?P<file>.+?)(?: \(line .*\))?:$")
REMARK = re.compile(r"^ {4}\* (?P<title>.+?)(?: in line \d+)?\.?:?\.?:?$")


def main() -> int:
    """Print the remarks that somebody has to look at; return 1 if there are any, or if Snakemake did not start."""
    snakemake = Path(sys.executable).with_name("snakemake")
    run = subprocess.run([snakemake, "--lint"], capture_output=True, text=True, check=False)
    remarks = titles(run.stderr)
    if run.returncode != bool(remarks):
        print(run.stdout, run.stderr, "snakemake --lint failed.", sep="\n")
        return 1
    unexpected = [title for title in remarks if title not in EXPECTED]
    gone = [title for title in EXPECTED if title not in remarks]
    if unexpected:
        print(run.stderr)
    print(*(f"not expected: {title}" for title in unexpected), sep="\n", end="\n" if unexpected else "")
    print(*(f"gone, strike it from {__file__}: {title}" for title in gone), sep="\n", end="\n" if gone else "")
    if not unexpected and not gone:
        print(f"snakemake --lint: nothing but the {len(remarks)} remarks that are expected.")
    return 1 if unexpected or gone else 0


def titles(output: str) -> list[str]:
    """Return the remarks as `<file or rule>: <title>`, without line numbers."""
    place, found = "", []
    for line in output.splitlines():
        if heading := FILE.match(line):
            place = Path(heading["file"]).name
        elif remark := REMARK.match(line):
            found.append(f"{place}: {remark['title']}")
    return found


if __name__ == "__main__":
    sys.exit(main())
