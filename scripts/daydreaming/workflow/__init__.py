"""What the Snakefile and the plugins stand on: the graph of a cohort, a run from its start to its end, and the service
that makes generations for the executor plugin.

Public: `CohortGraph`, `WorkflowRun`, `StageService`.
"""
