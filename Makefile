# Every target installs what it needs into .venv; PYTHON chooses the interpreter that makes it.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# One thread for each numerical library: two cores are shared by what runs beside.
BOUND := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Two tests at a time. WORKERS=0 runs them one after another in one process.
WORKERS ?= 2
PYTEST := $(BOUND) $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow check format bench bench-all docs serve clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

install: .venv/.ready  ## fill .venv, so that .venv/bin/segue runs

demo: .venv/.ready  ## MovieLens-100k from log to live answer; ARGS=--once ends by itself
	@$(BIN)/python examples/demo.py $(ARGS)

test: .venv/.ready-dev  ## the fast tests
	@$(PYTEST) -m "not slow" $(ARGS)

test-slow: .venv/.ready-dev  ## the slow tests
	@$(PYTEST) -m slow $(ARGS)

check: .venv/.ready-dev  ## all that CI does: format, lint, types, layers, tests, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) --cov --cov-report=term
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir .venv/site

format: .venv/.ready-dev  ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.ready-dev  ## the speed of training, into benchmarks/training.json (half an hour, quiet machine)
	@$(BIN)/python benchmarks/training.py $(ARGS)

bench-all: .venv/.ready-dev  ## every benchmark of README, one after another (about two hours)
	@for script in $(filter-out benchmarks/machine.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script || exit 1; done

docs: .venv/.ready-dev  ## the documents, at a local address
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve $(ARGS)

serve: .venv/.ready  ## serve a model: make serve ARGS="DIR --store FOLDER"
	@$(BIN)/segue serve $(ARGS)

clean:  ## remove what was built
	rm -rf .venv site dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage

.venv/bin/python:
	@$(PYTHON) -m venv .venv

.venv/.ready: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing segue into .venv" >&2
	@$(PIP) --editable '.[all]'
	@touch $@

.venv/.ready-dev: .venv/.ready
	@echo "installing the tools for tests and documents into .venv" >&2
	@$(PIP) --editable '.[dev]'
	@touch $@
