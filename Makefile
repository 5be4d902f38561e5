# The words of this repository. ARGS="…" hands more arguments on, PYTHON=python3.12 chooses the interpreter.

PYTHON ?= python3
ARGS ?=
PEERS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
MANIFESTS := pyproject.toml packaging/psp-sim/pyproject.toml packaging/psp-sim/hatch_build.py
# Twice quiet: warnings about the machine's own package indexes are nobody's concern here.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install --constraint constraints.txt

# Bytecode is kept even where the machine says otherwise: the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test check load explore soak bench topology demo

help: ## show these words
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s%s\n", $$1, $$2}'

setup: $(READY) ## build .venv with everything in it; does nothing when it is up to date
	@echo "$(VENV) is ready"

run: $(READY) ## play every scenario and say which promises held (ARGS="storm --seeds 1..50")
	@$(BIN)/python -m scenarios run $(ARGS)

test: $(READY) ## run every test (ARGS="-m 'not live'" leaves out those with real processes)
	@$(BIN)/python -m pytest -q --numprocesses 5 --dist worksteal $(ARGS)

explore: $(READY) ## search for faults that break the correct shop (ARGS="--shop no_dedupe --for 30s")
	@$(BIN)/python -m scenarios explore $(ARGS)

soak: $(READY) ## explore 100,000 plans on the correct shop: takes hours (ARGS="--runs 5000 --seed 2")
	@$(BIN)/python -m scenarios explore --runs 100000 $(ARGS)

check: $(READY) ## lint, formatting and types
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

load: $(READY) ## let buyers order under load, then check that nothing was lost (ARGS="--users 50 --time 60s")
	@$(BIN)/python -m loadtests.run_load $(ARGS)

bench: $(READY) ## measure speed, beside raw limits (PEERS=1 adds other mocks; ARGS="million")
	@PEERS=$(PEERS) $(BIN)/python -m benchmarks $(ARGS)

topology: $(READY) ## run the services of compose.yaml here, two of each, under load (ARGS="--stay")
	@$(BIN)/python -m tests.topology $(ARGS)

demo: $(READY) ## show polling beside webhooks, live, on http://127.0.0.1:8700 (ARGS="--port 9000")
	@$(BIN)/python -m scenarios demo $(ARGS)

# Some systems' Python cannot put pip into a new environment; its own pip then does it from outside.
# The build backend goes in first, pinned like the rest, so that no build fetches one of its own.
$(READY): $(MANIFESTS) constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	|| { echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there). Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV); the first time it takes about half a minute" >&2
	@rm -f $@
	@$(BIN)/python -c pass 2>/dev/null \
	|| $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
	|| { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --quiet --quiet --python $(BIN)/python install pip; }
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable ./packaging/psp-sim --editable '.[load,page,postgres,cluster,dev]'
	@touch $@
