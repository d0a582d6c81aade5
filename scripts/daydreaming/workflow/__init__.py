"""What the Snakefile and the plugins stand on: a cohort as a graph, a run from start to end, the served process.

Public: `cohort_graph.CohortGraph`, `slice_run.SliceGraph`, `workflow_run.WorkflowRun`, `stage_service.StageService`.
"""
