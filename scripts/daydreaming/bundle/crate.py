"""The description of a bundle for other programs: `ro-crate-metadata.json` of a Workflow Run RO-Crate.

Profiles: RO-Crate 1.1, Workflow RO-Crate 1.0, Process Run Crate 0.5 and Workflow Run Crate 0.5 (w3id.org/ro/wfrun).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from daydreaming.bundle.manifest import CONFIGURATION, GENERATIONS, GUIDE, MANIFEST, WORKFLOW, Manifest, Scope

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

_PROFILES = (
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"),
)
_LICENSE = "https://spdx.org/licenses/MIT"
_COMPUTATIONAL_WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}
# A crate has to name a licence, and nobody told the workflow which one a study's texts are under.
_NO_LICENSE = {
    "@type": "CreativeWork",
    "name": "Not stated",
    "description": "The workflow is under the MIT License. Ask the authors of the study under which one its texts are.",
}
_LEFT_OUT = {
    Scope.ALL: "Everything that was made and what it was made from is in it.",
    Scope.WITHOUT_PROMPTS: "Templates, descriptions, prompts, whole replies and reading pages are left out.",
    Scope.ONLY_SCORES: "All texts are left out.",
}


def crate_metadata(manifest: Manifest, made: tuple[float, float] | None, workflow_files: Sequence[str]) -> bytes:
    """The bytes of `ro-crate-metadata.json`.

    `made` has when the first generation was begun and the last one was done (Unix seconds), None where nothing was.
    The same study gives the same bytes.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.name = f"DayDreaming study {manifest.cohort}"
    crate.description = (
        f"The cohort {manifest.cohort} of a DayDreaming study: texts that language models wrote from combinations of "
        f"concepts, and the scores that other models gave them. {_LEFT_OUT[manifest.scope]}"
    )
    crate.datePublished = _moment(made[1]) if made else "1980-01-01T00:00:00+00:00"
    crate.license = _add(crate, "#licence", _NO_LICENSE)
    workflow = _workflow(crate, manifest, workflow_files)
    inputs = [_file(crate, name) for name in sorted(manifest.inputs)]
    inputs.append(_file(crate, CONFIGURATION, "The settings of the study, without keys and headers."))
    outputs = _outputs(crate, manifest)
    _file(crate, MANIFEST, "What is in the bundle, with SHA-256 digests, and the versions of the software.")
    _file(crate, GUIDE, "What this is and how to open it.")["about"] = crate.root_dataset
    action = _add(crate, "#run", _action(manifest, made))
    action["instrument"], action["object"], action["result"] = workflow, inputs, outputs
    crate.root_dataset["mentions"] = action
    crate.root_dataset["conformsTo"] = [
        _add(crate, url, {"@type": "CreativeWork", "name": name, "version": version})
        for url, name, version in _PROFILES
    ]
    return json.dumps(crate.metadata.generate(), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def result_folders(manifest: Manifest) -> list[str]:
    """The folders of results, of pages and of charts, by their names with a slash at the end."""
    parts = [PurePosixPath(name).parts for name in manifest.results]
    # data/cohorts/<cohort>/reports/<folder>/...
    return sorted({"/".join(names[:5]) + "/" for names in parts if len(names) > 5})


def _workflow(crate: ROCrate, manifest: Manifest, workflow_files: Sequence[str]) -> Any:
    version = manifest.software.get("daydreaming", "")
    workflow = crate.add_workflow(
        dest_path=f"{WORKFLOW}/Snakefile",
        main=True,
        lang="snakemake",
        lang_version=manifest.software.get("snakemake"),
        properties={
            "name": "DayDreaming",
            "encodingFormat": "text/plain",
            "version": f"{version} ({manifest.commit})" if manifest.commit else version,
            "description": "Concepts are combined, texts written from them and judged, and the scores compared.",
        },
    )
    license_of_workflow = {"@type": "CreativeWork", "name": "MIT License", "identifier": "MIT"}
    workflow["license"] = _add(crate, _LICENSE, license_of_workflow)
    workflow["conformsTo"] = _add(
        crate,
        _COMPUTATIONAL_WORKFLOW,
        {"@type": "CreativeWork", "name": "ComputationalWorkflow", "version": "1.0-RELEASE"},
    )
    parts = [_file(crate, name) for name in workflow_files if name != workflow.id]
    if parts:
        workflow["hasPart"] = parts
    return workflow


def _outputs(crate: ROCrate, manifest: Manifest) -> list[Any]:
    """The results: each table and the report; pages and charts as one folder each; the texts."""
    folders = result_folders(manifest)
    alone = [name for name in sorted(manifest.results) if not name.startswith(tuple(folders))]
    outputs = [_file(crate, name) for name in alone]
    for folder in folders:
        outputs.append(crate.add_directory(dest_path=folder, properties={"name": _name_of_folder(folder)}))
    if manifest.generations:
        what = "Prompts, replies, texts and records of all generations, one file a line."
        outputs.append(_file(crate, GENERATIONS, what))
    return outputs


def _name_of_folder(folder: str) -> str:
    return "Pages to read the essays in: open index.html" if folder.endswith("/read/") else "The charts of the report"


def _action(manifest: Manifest, made: tuple[float, float] | None) -> dict[str, Any]:
    action: dict[str, Any] = {
        "@type": "CreateAction",
        "name": f"The making of the cohort {manifest.cohort}",
        "description": "Drafts, essays and evaluations were generated, scores read and compared.",
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    return action | ({"startTime": _moment(made[0]), "endTime": _moment(made[1])} if made else {})


def _file(crate: ROCrate, name: str, description: str = "") -> Any:
    kind = _MEDIA_TYPES.get(PurePosixPath(name).suffix, "text/plain")
    properties = {"name": PurePosixPath(name).name, "encodingFormat": kind}
    return crate.add_file(dest_path=name, properties=properties | ({"description": description} if description else {}))


def _add(crate: ROCrate, identifier: str, properties: Mapping[str, Any]) -> Any:
    from rocrate.model import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties=dict(properties)))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
