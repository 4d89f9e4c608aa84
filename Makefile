.DEFAULT_GOAL := help
.PHONY: help install run demo doctor test chaos screenshots benchmark check clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

POSTS ?= 1000
SEED ?= 1

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## create .venv with everything the rest needs

$(VENV)/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@echo "installing into $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: install ## start the whole stack and stay up; Ctrl-C ends it
	@$(BIN)/python -m local

demo: install ## watch one post being written, stored, alarmed and published
	@$(BIN)/python -m local.demo

test: install ## run the tests
	@$(BIN)/python -m pytest -q

chaos: install ## prove it under everything that goes wrong: make chaos POSTS=1000 SEED=1
	@$(BIN)/python -m chaos --posts $(POSTS) --seed $(SEED)

screenshots: install ## take the pictures of the page in docs/ anew; needs a Chromium
	@$(BIN)/python -m docs.screenshots

benchmark: install ## measure the page with 1,000 posts (needs a Chromium), and a thousand deliveries within a second
	@$(BIN)/python -m benchmarks.page
	@$(BIN)/python -m benchmarks.thousand_deliveries

check: install ## format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

doctor: install ## report what is lost, published twice, stuck or misconfigured, here or by .env in production
	@$(BIN)/python -m doctor $(OPTIONS)

clean: ## remove the environment and the stack's data
	@rm -rf $(VENV) .local .hypothesis .mypy_cache .pytest_cache .ruff_cache
