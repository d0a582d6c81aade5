# Set-up, demo and checks. Each target makes the environment first where it is missing or out of date.

PYTHON ?= python3
BIN := .venv/bin
# The stamp of a complete environment. It holds the folder that the environment works in.
ENVIRONMENT := .venv/made-in
# The tests of the workflow wait for a provider much of their time: one more of them than there are processors.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Each worker begins with a share of its own, and then takes from the others': most files have their fixtures made once.
SHARED = -n $(WORKERS) --dist worksteal
SCORES := data/7_cross_experiment/parsed_scores.csv

.PHONY: help environment demo notebook pictures test test-all test-cluster lint lock wheel clean

help:
	@echo "make environment    install the packages of requirements.lock into .venv (the other targets do it themselves)"
	@echo "make demo           make the demo cohort with the embedded model, and show its scores"
	@echo "make notebook       run docs/example.ipynb on the demo cohort, and keep what it shows"
	@echo "make pictures       make the pictures of report and reading pages in docs/images, from a made-up cohort"
	@echo "make test           run all tests; make test PYTEST_OPTIONS='tests/unit -k name' runs some"
	@echo "make test-all       the same, with the full sets of the tests of which make test takes a sample"
	@echo "make test-cluster   run the workflow on a real Slurm of one node, which it installs (as root, on Debian or Ubuntu)"
	@echo "make lint           check the form of the code and of the workflow"
	@echo "make bench          measure how fast it is (benchmarks/README.md); make bench-large: everything"
	@echo "make bench-kills    end 60 runs at random moments, and count what was lost or paid twice (KILLS=12: fewer)"
	@echo "make lock           resolve requirements.lock anew from pyproject.toml"
	@echo "make wheel          build the library and the plugins as a package into dist/"
	@echo "make clean          remove the environment and caches; data/ and logs/ stay"
	@echo "make clean-bench    remove the benchmarks' results and environments"

environment: $(ENVIRONMENT)

# An environment that was moved, or whose Python has gone, is made again.
ifneq ($(shell test -x $(BIN)/python && cat $(ENVIRONMENT) 2>/dev/null),$(CURDIR))
.PHONY: $(ENVIRONMENT)
endif

# A failed installation leaves no stamp. pip keeps what fits, so that a second try goes on from there.
$(ENVIRONMENT): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "Python 3.11 or newer is needed, and '$(PYTHON)' is not. Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing the packages of requirements.lock into .venv (1.6 GB, two minutes or more the first time) ..."
	@test ! -e $@ || test "$$(cat $@)" = "$$(pwd -P)" || rm -rf .venv
	@rm -f $@
	@test -x $(BIN)/python || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@pwd -P > $@

# The budget makes sure that this never costs anything, whatever models llm_models.csv has come to name.
demo: $(ENVIRONMENT)
	$(BIN)/python scripts/build_membership.py
	$(BIN)/snakemake --config budget_usd=0
	$(BIN)/python scripts/aggregate_scores.py --output $(SCORES)
	@echo "Texts: data/gens/<stage>/<gen_id>/    tables: data/cohorts/demo/reports/"
	@echo "Report: data/cohorts/demo/reports/report.html    pages to read in: data/cohorts/demo/reports/read/index.html"

pictures: $(ENVIRONMENT)
	$(BIN)/python tests/pages/screenshots.py

# After make demo: the committed notebook shows the demo cohort.
notebook: $(ENVIRONMENT)
	$(BIN)/jupyter execute --inplace docs/example.ipynb

test: $(ENVIRONMENT)
	$(BIN)/python -m pytest $(SHARED) $(PYTEST_OPTIONS)

test-all: $(ENVIRONMENT)
	$(BIN)/python -m pytest $(SHARED) --full-sets $(PYTEST_OPTIONS)

test-cluster: $(ENVIRONMENT)
	tests/cluster/one_node_slurm.sh install
	$(BIN)/python -m pytest tests/cluster

lint: $(ENVIRONMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules profiles/slurm/Snakefile
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python .ci/lint_workflow.py

lock: $(ENVIRONMENT)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header \
	  --quiet -o requirements.lock

wheel: $(ENVIRONMENT)
	rm -rf build
	$(BIN)/python -m pip wheel -qq --disable-pip-version-check --no-deps --no-build-isolation -w dist .

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .coverage* .hypothesis build dist scripts/*.egg-info
	find scripts tests -name __pycache__ -prune -exec rm -rf {} +

include benchmarks/bench.mk
