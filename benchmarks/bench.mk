# Included by the Makefile, whose BIN and ENVIRONMENT it uses.

.PHONY: bench bench-large bench-kills clean-bench

# Under 15 minutes, and a few more the first time: the neighbours' environments are made then.
bench: $(ENVIRONMENT)
	$(BIN)/python benchmarks/run.py

# All of it, cohorts of 10,000 chains included: about 40 minutes.
bench-large: $(ENVIRONMENT)
	$(BIN)/python benchmarks/run.py --large

# About 10 minutes: 60 runs are ended at random moments. make bench-kills KILLS=12 ends fewer.
KILLS := 60
bench-kills: $(ENVIRONMENT)
	$(BIN)/python benchmarks/kills.py --kills $(KILLS)

clean-bench:
	rm -rf benchmarks/.envs benchmarks/results
