# Everything installs into .venv/ of this checkout and nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.txt
STAMP := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check unit format lock soak bench compiled simulate oracles fuzz clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("changeover needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (once; later runs need no network)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --no-deps --no-index --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP) ## Install everything into .venv/

demo: $(STAMP) ## The whole story on this machine: one version promoted, one rolled back
	@$(BIN)/changeover demo

check: $(STAMP) ## Formatting, lint, types, import walls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/basedpyright

unit: $(STAMP) ## The tests alone
	$(BIN)/pytest

test: check unit ## All checks and all tests

soak: $(STAMP) ## The demo with ten seeds, long random walks, 200 kills, 100 rollbacks at 500 rps, ten minutes of load
	$(BIN)/python -m tests.soak.demo_seeds
	$(BIN)/python -m tests.soak.walks
	$(BIN)/python -m tests.soak.kills
	$(BIN)/python -m tests.soak.rollbacks
	$(BIN)/python -m tests.soak.memory --minutes 10

bench: $(STAMP) ## CPU per request beside nginx, 1,000 held streams, cost of evidence (needs nginx and wrk; a few minutes)
	$(BIN)/python -m benchmarks.gateway
	$(BIN)/python -m benchmarks.streams
	$(BIN)/python -m benchmarks.evidence

compiled: $(STAMP) ## The request path compiled by mypyc, and its own tests against it (needs gcc; a few minutes)
	@export PYTHONPATH=$$($(BIN)/python -m benchmarks.compiled | tail -1) && \
	  $(BIN)/python -c 'import changeover.gateway.relay as room; assert room.__file__.endswith(".so"), room.__file__' && \
	  $(BIN)/pytest tests/unit/gateway tests/unit/exchange tests/unit/traffic tests/unit/wire tests/integration/gateway tests/conformance \
	  tests/property/test_gateway_crowd.py tests/property/test_gateway_parsers.py tests/property/test_exchange_journey.py --ignore-glob='*/test_arm*'

simulate: $(STAMP) ## How often verdicts err, by simulation (resumable; about 30 minutes on two free cores)
	$(BIN)/python -m tests.simulate

oracles: ## Other statistics packages as oracles of ours (two environments of their own, about 950 MB)
	@for name in gbstats savvi; do \
	  test -x .venv-oracle/$$name/bin/python || $(PYTHON) -m venv .venv-oracle/$$name; \
	  .venv-oracle/$$name/bin/python -m pip install --quiet -r requirements/oracle-$$name.txt || exit 1; \
	  PYTHONPATH=src:. CHANGEOVER_REQUIRE=$$name .venv-oracle/$$name/bin/python -m pytest -c tests/oracle/pytest.ini --rootdir . tests/oracle/test_$$name.py || exit 1; \
	done

FUZZ_SECONDS ?= 60
fuzz: $(STAMP) ## Coverage-guided fuzzing of both parsers (Linux x86-64; FUZZ_SECONDS for each of four targets)
	@test -d $(VENV)/fuzz || $(BIN)/python -m pip install --quiet --no-deps --only-binary :all: --target $(VENV)/fuzz atheris==3.0.0
	PYTHONPATH=$(VENV)/fuzz $(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

format: $(STAMP) ## Rewrite the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Renew the lock file (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra azure --extra demo --extra notify --extra postgres --group dev --upgrade pyproject.toml -o $(LOCK)

clean: ## Remove what set-up and tests made
	rm -rf $(VENV) build .venv-oracle .fuzz tests/conformance/node/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache
