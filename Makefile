# make demo   the whole story on one machine: a live shop moves to Fargate and back, under load
# make test   everything that must pass
# make unit   seconds, no root
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help ready lint-docs demo test unit lint integration e2e faults lab-up lab-down lab-status lab-install bench clean

BIN := .venv/bin
LAB := PYTHONPATH=tests $(BIN)/python -m lab
# Child processes (ansible-lint, molecule) look for their tools on PATH.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH :=
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.ansible/collections

help:
	@sed -n 's/^# //p' Makefile | head -3
	@echo "also: lint integration e2e faults bench lab-up lab-down lab-status lab-install clean"

ready:
	@tests/bootstrap

unit: ready
	$(BIN)/python -m pytest tests/unit -n 2 -q

lint: ready
	$(BIN)/ruff check .
	$(BIN)/mypy plugins tests/lab
	$(BIN)/yamllint --strict .
	$(BIN)/ansible-lint --offline
	$(BIN)/antsibull-changelog lint

integration: ready lab-install
	$(BIN)/python -m pytest tests/integration -q

e2e: ready lab-install
	$(BIN)/python -m pytest tests/e2e -q

# Every fault of the lab, alone and in pairs: about half an hour. Writes tests/e2e/diagnosis.md.
faults: ready lab-install
	CUTOVER_FAULTS=all $(BIN)/python -m pytest tests/e2e/test_diagnosis.py -q

test: ready lint lab-install
	$(BIN)/python -m pytest tests/unit -n 2 -q
	$(BIN)/python -m pytest tests/integration tests/e2e

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

lint-docs: ready
	tests/lint_docs
