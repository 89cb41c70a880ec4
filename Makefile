# Every target sets itself up: all it takes is Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

SHIM := jaxpr layers modules frameworks threads linen nnx equinox keras rules
SHIM_TESTS := $(filter-out %_cost.py %_dtypes.py,\
    $(foreach name,$(SHIM),$(wildcard tests/test_$(name)*.py)))

.PHONY: demo test test-slow test-lowest check docs benchmarks mutants format clean

demo: .venv/ready
	$(BIN)/python -m experiments --only pictures words tables traffic

test: .venv/ready
	$(BIN)/python -m pytest -n 2 --doctest-modules jaxplain -p tests.doctest_names -q
	$(BIN)/python -m pytest -n 2 --dist loadfile

# What takes minutes, and is not needed after every change.
test-slow: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

# The oldest JAX and Flax that pyproject.toml admits: what reads their programs.
test-lowest: .venv-lowest/ready
	.venv-lowest/bin/python docs/tour.py
	.venv-lowest/bin/python -m pytest -n 2 --dist loadfile -W default $(SHIM_TESTS)

check: .venv/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(MAKE) test
	$(BIN)/python -m pytest -q -m slow tests/test_docs.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --site-dir site

docs: .venv/ready-dev
	$(BIN)/python -m mkdocs build --strict --site-dir site

benchmarks: .venv/ready
	$(BIN)/python -m tests.benchmarks

mutants: .venv/ready
	$(BIN)/python -m tests.mutants

format: .venv/ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-lowest site outputs

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jaxplain needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/ready: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable . --group test
	touch $@

.venv/ready-dev: .venv/ready
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

.venv-lowest/ready: pyproject.toml tests/lowest.txt
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --upgrade pip
	.venv-lowest/bin/python -m pip install --quiet --editable . --group test --constraint tests/lowest.txt
	touch $@
