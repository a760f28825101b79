# The two commands of the README.  Both make .venv and install into it first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test install lint types types-of-package types-of-tests fast slow shelf bench clean

demo: $(VENV)/.demo
	$(BIN)/python -m ntksym.demo

test: $(VENV)/.test lint types
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The package and the tests at once, each with its own cache: their options differ.
types: $(VENV)/.test
	$(MAKE) --no-print-directory -j 2 types-of-package types-of-tests

types-of-package:
	$(BIN)/mypy

types-of-tests:
	$(BIN)/mypy --config-file tests/mypy.ini tests

slow: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "slow or not slow"

shelf: $(VENV)/.test
	$(BIN)/ntksym export --shelf codegen

bench: $(VENV)/.demo
	$(BIN)/python codegen/bench/bench.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[demo]"
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[test]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
