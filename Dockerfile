# An image that runs the demo (docker build -t daydreaming . && docker run --rm daydreaming), or any command of the workflow:
#   docker run --rm --env OPENROUTER_API_KEY --volume "$PWD/my-study:/study" daydreaming \
#     .venv/bin/snakemake --directory /study -j64
FROM python:3.11-slim

# make, and what the embedded model's runtime is linked with.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make libgomp1 libstdc++6 \
    && rm -rf /var/lib/apt/lists/*

# Not root: what a run writes into a mounted study should belong to a person. (--user changes who.)
RUN useradd --create-home researcher \
    && install --directory --owner=researcher --group=researcher /home/researcher/daydreaming
USER researcher
WORKDIR /home/researcher/daydreaming

COPY --chown=researcher:researcher . .
RUN PIP_NO_CACHE_DIR=1 make environment

CMD ["make", "demo"]
