# make demo   the whole story on one machine: a live shop moves to Fargate and back, under load
# make test   everything that must pass
# make unit   seconds, no root
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help ready demo test unit lint integration e2e molecule faults lab-up lab-down lab-status lab-install bench clean

BIN := .venv/bin
LAB := PYTHONPATH=tests $(BIN)/python -m lab
UNIT := $(BIN)/python -m pytest tests/unit -n 2 --dist worksteal -q
# Tests that start labs: two at a time, the tests of one file in one lab.
LABS := $(BIN)/python -m pytest -n 2 --dist loadfile
# Child processes (ansible-lint, molecule) look for their tools on PATH.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH :=
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.ansible/collections

help:
	@sed -n 's/^# //p' Makefile | head -3
	@echo "also: lint integration e2e molecule faults bench lab-up lab-down lab-status lab-install clean"

ready:
	@tests/bootstrap

unit: ready
	$(UNIT) -m "not account"

lint: ready
	$(BIN)/ruff check .
	$(BIN)/mypy plugins tests/lab
	$(BIN)/yamllint --strict .
	ANSIBLE_HOME=$(CURDIR)/.ansible/home $(BIN)/ansible-lint --offline
	$(BIN)/antsibull-changelog lint
	tests/lint_docs

integration: ready lab-install
	$(UNIT) -m account
	$(LABS) tests/integration -q

e2e: ready lab-install
	$(LABS) tests/e2e -q

molecule: ready lab-install
	$(LABS) tests/e2e/test_molecule.py -q

# Every fault of the lab, alone and in pairs, and healthy runs: about twenty minutes. Keeps what it measured in tests/e2e/diagnosis.md, row by row.
faults: ready lab-install
	CUTOVER_FAULTS=all $(BIN)/python -m pytest tests/e2e/test_diagnosis.py -q

test: ready lint lab-install
	$(UNIT)
	$(LABS) tests/integration tests/e2e

demo: ready lab-install
	$(LAB).demo

lab-install: ready
	@$(LAB) install

lab-up: ready lab-install
	@$(LAB) up

lab-down: ready
	@$(LAB) down

lab-status: ready
	@$(LAB) status

bench: ready
	$(BIN)/python -m tests.bench

clean: lab-down
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
