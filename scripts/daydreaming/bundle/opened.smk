# Written by open_bundle.py: the workflow that is installed on this machine works on this folder. Nothing of it is from
# the bundle.

import subprocess
import sys
from pathlib import Path

PROJECT = Path("PROJECT")


configfile: "config.yaml"


module daydreaming:
    snakefile:
        str(PROJECT / "Snakefile")
    config:
        config


use rule * from daydreaming


def compare():
    """Say in one line whether all texts and numbers are those of the bundle."""
    subprocess.run([sys.executable, PROJECT / "scripts" / "open_bundle.py", "--check", "."])


onsuccess:
    compare()


onerror:
    compare()
