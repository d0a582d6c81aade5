# Generations: three rules of one shape. Each declares parsed.txt alone; the runner owns the prompt, the reply and the
# metadata beside it, for Snakemake deletes declared outputs before it runs a job and after a job has failed.
# A newer time of a template or a concept alone makes nothing again. What was made from another row, text or setting gets
# one more input that is newer (`renewed`); no `params` say it again, for Snakemake loads pandas to compare them.


rule draft:
    input:
        texts=ancient(asks("texts_behind", "draft")),
        renewed=asks("renewed", "draft"),
    output:
        parsed=GENS / "draft/{gen_id}/parsed.txt",
    threads: threads_of_a_call
    shell:
        RUN_STAGE + " --stage draft --gen-id={wildcards.gen_id}"


rule essay:
    input:
        parent=asks("parent", "essay"),
        texts=ancient(asks("texts_behind", "essay")),
        renewed=asks("renewed", "essay"),
    output:
        parsed=GENS / "essay/{gen_id}/parsed.txt",
    threads: threads_of_a_call
    shell:
        RUN_STAGE + " --stage essay --gen-id={wildcards.gen_id}"


rule evaluation:
    input:
        parent=asks("parent", "evaluation"),
        texts=ancient(asks("texts_behind", "evaluation")),
        renewed=asks("renewed", "evaluation"),
    output:
        parsed=GENS / "evaluation/{gen_id}/parsed.txt",
    threads: threads_of_a_call
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
