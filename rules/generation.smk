# Generations: a rule for each stage of the study, all of one shape, and a target for all of a stage. Each declares parsed.txt
# alone; the runner owns the prompt, the reply and the metadata beside it, for Snakemake deletes declared outputs before it
# runs a job and after a job has failed.
# A newer time of a template or a concept alone makes nothing again. What was made from another row, text or setting gets
# one more input that is newer; no `params` say it again, for Snakemake loads pandas to compare them.


for STAGE in SETTINGS.stage_table:

    rule:
        name:
            STAGE.name
        input:
            made_from(STAGE.name),
        output:
            parsed=GENS / STAGE.name / "{gen_id}/parsed.txt",
        threads: threads_of_a_call
        # The stage neither by STAGE, for the loop is over when a job runs, nor by the rule, which another workflow may rename.
        # No call needs a folder for temporary files, and Snakemake would look one up for each.
        resources:
            stage=STAGE.name,
            tmpdir=None,
        shell:
            RUN_STAGE + " --stage {resources.stage} --gen-id={wildcards.gen_id}"

    rule:
        name:
            STAGE.target
        input:
            asks("texts", *SETTINGS.stage_table.chain(STAGE.name)),
