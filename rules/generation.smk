# Generations: three rules of one shape. Each declares parsed.txt alone; the runner owns the prompt, the reply and the
# metadata beside it, for Snakemake deletes declared outputs before it runs a job and after a job has failed.


rule draft:
    input:
        concepts=concept_texts,
        template=template_of("draft"),
    output:
        parsed=GENS / "draft/{gen_id}/parsed.txt",
    params:
        row=specification_of("draft"),
    log:
        "logs/draft/{gen_id}.log",
    run:
        run_stage("draft", wildcards.gen_id, log[0])


rule essay:
    input:
        parent=parent_of("essay"),
        template=template_of("essay"),
    output:
        parsed=GENS / "essay/{gen_id}/parsed.txt",
    params:
        row=specification_of("essay"),
    log:
        "logs/essay/{gen_id}.log",
    run:
        run_stage("essay", wildcards.gen_id, log[0])


rule evaluation:
    input:
        parent=parent_of("evaluation"),
        template=template_of("evaluation"),
    output:
        parsed=GENS / "evaluation/{gen_id}/parsed.txt",
    params:
        row=specification_of("evaluation"),
    log:
        "logs/evaluation/{gen_id}.log",
    run:
        run_stage("evaluation", wildcards.gen_id, log[0])


localrules:
    drafts,
    essays,
    evaluations,


rule drafts:
    input:
        parsed_texts("draft"),


rule essays:
    input:
        parsed_texts("draft", "essay"),


rule evaluations:
    input:
        parsed_texts(*STAGES),
