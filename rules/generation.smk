# Generations: three rules of one shape. Each declares parsed.txt alone; the runner owns the prompt, the reply and the
# metadata beside it, for Snakemake deletes declared outputs before it runs a job and after a job has failed.
# A newer time of a template or a concept alone makes nothing again. No threads with the plugin, which takes all that is
# ready and keeps -j calls in flight; with any other executor a generation is a process.


rule draft:
    input:
        texts=ancient(asks("texts_behind", "draft")),
        renewed=asks("renewed", "draft"),
    output:
        parsed=GENS / "draft/{gen_id}/parsed.txt",
    params:
        row=asks("row", "draft"),
    threads: lambda wildcards: 0 if executor_name() == PLUGIN else 1
    shell:
        RUN_STAGE + " --stage draft --gen-id={wildcards.gen_id}"


rule essay:
    input:
        parent=asks("parent", "essay"),
        texts=ancient(asks("texts_behind", "essay")),
        renewed=asks("renewed", "essay"),
    output:
        parsed=GENS / "essay/{gen_id}/parsed.txt",
    params:
        row=asks("row", "essay"),
    threads: lambda wildcards: 0 if executor_name() == PLUGIN else 1
    shell:
        RUN_STAGE + " --stage essay --gen-id={wildcards.gen_id}"


rule evaluation:
    input:
        parent=asks("parent", "evaluation"),
        texts=ancient(asks("texts_behind", "evaluation")),
        renewed=asks("renewed", "evaluation"),
    output:
        parsed=GENS / "evaluation/{gen_id}/parsed.txt",
    params:
        row=asks("row", "evaluation"),
    threads: lambda wildcards: 0 if executor_name() == PLUGIN else 1
    shell:
        RUN_STAGE + " --stage evaluation --gen-id={wildcards.gen_id}"


rule drafts:
    input:
        asks("texts", "draft"),


rule essays:
    input:
        asks("texts", "draft", "essay"),


rule evaluations:
    input:
        asks("texts", "draft", "essay", "evaluation"),
