# Everything happens in a virtual environment of this folder; nothing is installed outside it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
# Tests and benchmarks start the program hundreds of times: it keeps its compiled modules, as pip keeps an installed one's.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick room install dev lint types arrows unit same mutants misleading fuzz exact simulate pull-test live-simulation bench lock samples clean

install: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# The main job on the samples of this checkout; ends with the path of what it wrote.
demo: install
	$(BIN)/forensics analyze --revision netra-backend-staging-00180

test: lint types arrows unit

lint: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: dev
	$(BIN)/mypy

arrows: dev
	$(BIN)/lint-imports

unit: dev
	$(BIN)/python -m pytest -n $(JOBS)

# Long: one hash over every document and screen of every input at hand; equal before and after a change that only moves code.
same: dev
	$(BIN)/python tools/same.py

# While you work: a minute. Every room is touched, what is slow is left out, property tests try fewer examples.
quick: dev
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow" --hypothesis-profile=quick

# The tests of one room, a folder of tests/ or a module there: make room ROOM=links, make room ROOM=rules
PLACE = $(firstword $(wildcard tests/$(ROOM)/ tests/test_$(ROOM).py tests/$(ROOM).py))
room: dev
	$(BIN)/python -m pytest -n $(JOBS) $(if $(ROOM),$(or $(PLACE),$(error no room $(ROOM): name a folder of tests/, or rules for tests/test_rules.py)),$(error say which: make room ROOM=links))

# Long: property tests with new examples, many more of them, and every pattern on long texts at once.
fuzz: dev
	FORENSICS_PUMPED=full $(BIN)/python -m pytest -n $(JOBS) --hypothesis-profile=fuzz

# Long: small changes of the arithmetic that carries verdicts. At least nine in ten must be noticed by the tests of each
# module that tools/mutants.py lists.
mutants: dev
	$(BIN)/python tools/mutants.py

# Long: every log of tests/misleading/ drawn three times instead of once. Prints the figures, and what is wrong.
misleading: dev
	MISLEADING_SEEDS=3 $(BIN)/python -m pytest -s tests/misleading

# Long: the pulls of the tests with 100,000 entries instead of 4,000, and a sample of 130,000 requests.
pull-test: dev
	FORENSICS_PULL_ENTRIES=100000 $(BIN)/python -m pytest -n $(JOBS) tests/cloud/test_both_transports.py tests/cloud/test_narrow.py

# Long: 200 invented revisions with unrelated warnings, pulled whole and in windows: how often is a warning supported?
live-simulation: dev
	FORENSICS_LIVE_REVISIONS=200 $(BIN)/python -m pytest -n $(JOBS) tests/cloud/test_drawn_controls.py -k innocent

# Exact p-values and intervals against scipy's own, on ten thousand random cases each.
exact: dev
	EXACT_CASES=10000 $(BIN)/python -m pytest tests/comparison/test_exact.py

# Long (a quarter of an hour): pairs of revisions that differ in nothing, and some that do, a thousand of each kind; prints
# the tables of docs/verdicts.md.
SIMULATED_PAIRS ?= 1000
simulate: dev
	SIMULATED_PAIRS=$(SIMULATED_PAIRS) $(BIN)/python -m pytest -q -s tests/comparison/test_simulation.py

BENCH ?= 100MB
KINDS ?= mixed clean all-errors array gz zst

# Long: the same question asked of wc, jq, DuckDB, polars and this program. Results belong in benchmarks/README.md.
bench: dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	for kind in $(KINDS); do \
	    $(BIN)/python benchmarks/generate.py --size $(BENCH) --kind $$kind --out build/bench/$(BENCH)-$$kind && \
	    $(BIN)/python benchmarks/compare.py build/bench/$(BENCH)-$$kind || exit 1; \
	done

# Pin again what pyproject.toml asks for. The files name versions and no download address.
lock: dev
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.txt pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements-bench.txt benchmarks/requirements.in

samples: install
	$(BIN)/python samples/make_samples.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache forensics-reports
