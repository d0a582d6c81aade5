# Generations: three rules of one shape. Each declares parsed.txt alone; the runner owns the prompt, the reply and the
# metadata beside it, for Snakemake deletes declared outputs before it runs a job and after a job has failed.


rule draft:
    input:
        texts=texts_behind("draft"),
        renewed=renewed("draft"),
    output:
        parsed=GENS / "draft/{gen_id}/parsed.txt",
    params:
        row=generation_row("draft"),
    threads: generation_threads
    shell:
        RUN_STAGE + " --stage draft --gen-id={wildcards.gen_id}"


rule essay:
    input:
        parent=parent_parsed("essay"),
        texts=texts_behind("essay"),
        renewed=renewed("essay"),
    output:
        parsed=GENS / "essay/{gen_id}/parsed.txt",
    params:
        row=generation_row("essay"),
    threads: generation_threads
    shell:
        RUN_STAGE + " --stage essay --gen-id={wildcards.gen_id}"


rule evaluation:
    input:
        parent=parent_parsed("evaluation"),
        texts=texts_behind("evaluation"),
        renewed=renewed("evaluation"),
    output:
        parsed=GENS / "evaluation/{gen_id}/parsed.txt",
    params:
        row=generation_row("evaluation"),
    threads: generation_threads
    shell:
        RUN_STAGE + " --stage evaluation --gen-id={wildcards.gen_id}"


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
