# Every target says what it does after two number signs; `make` alone lists them.
# Options: PYTHON=python3.12 (the Python to build with), VENV=folder (where the environment goes),
# ARGS="..." (passed on to the tool that the target runs); SEED=n repeats what a long run did.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
KILLS ?= 100
FAULTS ?= 200
FRAMES ?= 1000000
MUTANTS ?= 100
SEEDS ?= 10000
ORDERS ?= 1000000
RESTARTS ?= 20
SEEDED := $(if $(SEED),--seed $(SEED))

ifneq ($(words $(VENV)),1)
$(error VENV is "$(VENV)": give one folder without spaces in its name)
endif

PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --constraint constraints.txt
# Stamp files: a target that has nothing new to do ends at once. The first carries the name of its
# Python, so that another PYTHON is noticed and not silently replaced by the one already there.
ENVIRONMENT := $(VENV)/.made-by-$(notdir $(firstword $(PYTHON)))
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
KERNELS := $(wildcard src/neural_trader/_kernels/*.py)
RECIPE := constraints.txt pyproject.toml setup.py $(KERNELS)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two installs into one environment at once would break it.
.NOTPARALLEL:
.PHONY: help setup demo test neural-test check format bench faults fuzz proxy endurance simulate mutants peers fills metrics golden wheel clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile

setup: $(DEV) ## Make the environment, build the kernels, install all that developers need

demo: $(RUNTIME) ## Backtest KO/PEP on 33 years of bundled prices and write an HTML report
	@mkdir -p out
	@$(VENV)/bin/neural-trader backtest --strategy pairs --symbols KO,PEP --data sp500-closes \
	    --capital 100000 --lookback 60 --entry 2.0 --exit 0.5 --gross 20000 \
	    --fee-bps 5 --slippage-bps 5 --report out/pairs-ko-pep.html $(ARGS)

test: $(DEV) ## Run the tests
	@$(PY) -m pytest $(ARGS)

neural-test: $(DEV) ## Run the tests of training, which need PyTorch, and install it if need be
	@$(PIP) torch
	@$(PY) -m pytest tests/unit/forecast tests/integration/test_neural_cli.py $(ARGS)

check: $(DEV) ## Format, lint, types, rooms, and the tests of the code as data
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m mypy.stubtest neural_trader._kernels --ignore-missing-stub \
	    --mypy-config-file pyproject.toml
	$(VENV)/bin/lint-imports
	$(PY) -m pytest -q tests/tidy

format: $(DEV) ## Format the code and mend what the linter can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(RUNTIME) ## Measure the backtests against plain Python (ARGS="--peers" adds other engines)
	@$(VENV)/bin/neural-trader bench backtest $(ARGS)

faults: $(DEV) ## Kill client, gateway and venue under load, and count (KILLS=100 SEED=7)
	@$(PY) -m tests.reliability.faults --kills $(KILLS) $(SEEDED)

proxy: $(DEV) ## Put bad lines between client, gateway and venue, and count (FAULTS=200 SEED=7)
	@$(PY) -m tests.reliability.network --faults $(FAULTS) $(SEEDED)

endurance: $(DEV) ## Send orders for minutes, with restarts on the way (ORDERS=1000000 RESTARTS=20)
	@$(PY) -m tests.reliability.endurance --orders $(ORDERS) --restarts $(RESTARTS) $(ARGS)

fuzz: $(DEV) ## Send bad frames to all that reads bytes, and see what they do (FRAMES=1000000 SEED=7)
	@$(PY) -m tests.reliability.fuzz --frames $(FRAMES) $(SEEDED) $(ARGS)

simulate: $(DEV) ## Play seeded histories full of faults, and hold each to its promises (SEEDS=10000 SEED=7)
	@$(PY) -m tests.simulation.simulate --seeds $(SEEDS) $(SEEDED) $(ARGS)

mutants: $(DEV) ## Plant bugs in the gateway, and see whether the tests find them (MUTANTS=100 SEED=7)
	@$(PY) -m tests.mutants.run --count $(MUTANTS) $(SEEDED) $(ARGS)

peers: $(RUNTIME) ## Make the environments of the other engines that the bench compares with
	@$(PY) benchmarks/rivals/make_peers.py $(ARGS)

fills: $(RUNTIME) ## Compare our fills with those of other engines, one by one (after make peers)
	@PYTHONPATH=. $(PY) benchmarks/rivals/fills/compare.py

metrics: $(RUNTIME) ## Compare our metrics with those of other packages (after make peers; ARGS=--write)
	@PYTHONPATH=. $(PY) benchmarks/rivals/metrics/compare.py $(ARGS)

golden: $(DEV) ## Write the golden results anew; read the diff before you commit it
	@$(PY) -m pytest tests/golden --update-golden $(ARGS)

wheel: $(DEV) ## Build sdist and wheel into dist, and test the wheel in a clean environment
	@$(PY) scripts/wheel_test.py $(ARGS)

clean: ## Remove what was built, but no environment
	rm -rf build dist out src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	    .import_linter_cache
	rm -f src/neural_trader/_kernels/*.so src/neural_trader/_kernels/*.c \
	    src/neural_trader/_kernels/built.json $(RUNTIME) $(DEV)
	find $(wildcard src tests scripts benchmarks examples) -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove the environments as well
	@test ! -e $(VENV) || test -f $(VENV)/pyvenv.cfg || \
	    { echo "$(VENV) is not a Python environment: it stays" >&2; exit 1; }
	rm -rf $(VENV) .venv-peers

$(ENVIRONMENT): scripts/preflight.py
	@command -v $(firstword $(PYTHON)) >/dev/null || \
	    { echo "There is no $(PYTHON) on PATH: install Python 3.11 or newer, or name it with" \
	    "make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) scripts/preflight.py --venv $(VENV)
	@echo "Making the environment $(VENV)"
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade pip setuptools wheel cython
	@touch $@

# A package that is there already is not built again: Cython and the compiler look at what changed.
$(RUNTIME): $(ENVIRONMENT) $(RECIPE)
	@echo "Building the kernels and installing neural-trader into $(VENV)"
	@$(PIP) --no-build-isolation --editable .
	@$(PY) -m compileall -q src/neural_trader
	@touch $@

$(DEV): $(ENVIRONMENT) $(RECIPE)
	@echo "Building the kernels and installing neural-trader and its tools into $(VENV)"
	@$(PIP) --no-build-isolation --editable '.[dev]'
	@$(PY) -m compileall -q src/neural_trader
	@touch $(RUNTIME) $@
