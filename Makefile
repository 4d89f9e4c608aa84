.DEFAULT_GOAL := help
.PHONY: help install run demo test unit stack-test page-test browser chaos soak fuzz screenshots bench check check-python \
	check-javascript check-infra check-advisories contract dotenv fill-vault lock vendor doctor link-account unlink-account forget-user \
	rotate-keys pause resume limits reconcile delete-old-events clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -q

POSTS ?= 1000
SEED ?= 1
MINUTES ?= 10
# One for each processor, but at least 4, because tests wait often, and at most 8: each needs half a gigabyte.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(max(os.cpu_count() or 1, 4), 8))')
EXAMPLES ?= 1000

# What an operator writes goes to a command through the environment, as it is: a username is chosen by a stranger.
# The shell has a variable USER of its own; only one that is written after make names a user of the app.
export REASON_GIVEN := $(value REASON)
export SINCE_GIVEN := $(value SINCE)
export STOPPED_GIVEN := $(value STOPPED)
export OLDER_THAN_GIVEN := $(value OLDER_THAN)
export VAULT_GIVEN := $(value VAULT)
export USERNAME_GIVEN := $(if $(filter command line,$(origin USER)),$(value USER))
unexport REASON SINCE STOPPED OLDER_THAN VAULT USER
USERNAME_OPTION = $(if $(filter command line,$(origin USER)),--user "$$USERNAME_GIVEN")

# The stack and its tests start hundreds of Python processes, and compiling their modules anew each time costs minutes.
unexport PYTHONDONTWRITEBYTECODE

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# uv installs in seconds what takes pip a minute; but an index that only pip.conf names is known to pip alone.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

install: $(VENV)/installed ## create .venv with everything the rest needs

$(VENV)/installed: requirements.txt requirements-unit.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@echo "installing into $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) "$$(grep -o '^uv[^ ]*' requirements-dev.txt)"
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --requirement requirements-dev.txt || $(PIP_INSTALL) --requirement requirements-dev.txt
	@touch $@

run: install ## start the whole stack and stay up; Ctrl-C ends it
	@$(BIN)/python -m local

demo: install ## schedule one post and watch how it is published
	@$(BIN)/python -m local.demo

# Each file stays with one worker, because its tests share servers.
test: install ## run all tests, in parallel: make test WORKERS=4
	@$(PYTEST) --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

unit: install ## run the tests that need no stack
	@$(PYTEST) --numprocesses $(WORKERS) tests/unit

stack-test: install ## run the tests that need PostgreSQL or the local stack
	@$(PYTEST) tests/stack

page-test: install ## run the tests of the page; they need a Chromium
	@$(PYTEST) tests/page

browser: install ## get a Chromium for the tests of the page
	@$(BIN)/python -m playwright install chromium || { \
		echo "Playwright could not install its Chromium. Use the package manager of your system instead:"; \
		echo "  apt-get install chromium | dnf install chromium | pacman -S chromium | brew install --cask chromium"; \
		echo "Or set CHROMIUM to the path of a Chromium or Chrome that you have."; \
		exit 1; }

chaos: install ## publish posts while faults are injected, and check each one: make chaos POSTS=1000 SEED=1
	@$(BIN)/python -m chaos --posts $(POSTS) --seed $(SEED)

soak: install ## run ten normal authors beside slow, broken and flooding clients, and measure: make soak MINUTES=10
	@$(BIN)/python -m soak --minutes $(MINUTES)

fuzz: install ## send many random requests to the functions, and compare the answers with docs/openapi.yaml: make fuzz EXAMPLES=1000
	@OPENAPI_EXAMPLES=$(EXAMPLES) $(PYTEST) tests/stack/test_openapi.py

screenshots: install ## take the pictures of the page in docs/ again; needs a Chromium
	@$(BIN)/python -m scripts.screenshots

bench: install ## run all benchmarks, short (some ten minutes; OPTIONS=--full: over an hour), with tables, numbers and plots
	@$(BIN)/python -m benchmarks $(OPTIONS)

check: check-python check-javascript check-infra check-advisories ## check format, lint and types, the workflows, infra/, and packages for advisories

# mypy sees one tier at a time, because each imports its own modules by their bare names.
check-python: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@for tier in unit stack page; do \
		MYPYPATH=tests:tests/$$tier $(BIN)/mypy --no-warn-unused-ignores --disable-error-code import-untyped \
			--disable-error-code no-any-return --disable-error-code no-untyped-call tests/$$tier || exit 1; \
	done
	@$(BIN)/zizmor --offline --quiet .github

check-advisories: install
	@$(BIN)/python -m scripts.advisories

check-javascript:
	@if [ ! -f package.json ]; then exit 0; fi; \
	if command -v npm >/dev/null; then npm ci --silent --no-fund --no-audit && npm run --silent check; \
	elif [ -n "$$CI" ]; then echo "CI checks the JavaScript and needs Node.js with npm." >&2; exit 1; \
	else echo "There is no npm here, so the JavaScript was not checked."; fi

# checkov fixes the versions of all that it needs, so it has an environment of its own. It reads infra/ when that changed.
CHECKOV := $(VENV)/checkov

check-infra: $(CHECKOV)/passed

$(CHECKOV)/installed: infra/requirements.txt $(VENV)/installed
	@echo "installing checkov into $(CHECKOV) (once) ..."
	@$(BIN)/python -m uv venv --quiet --clear $(CHECKOV)
	@$(BIN)/python -m uv pip install --quiet --python $(CHECKOV)/bin/python -r infra/requirements.txt
	@touch $@

# A file that checkov cannot read is not checked, and checkov says so without failing.
$(CHECKOV)/passed: $(CHECKOV)/installed $(wildcard infra/*.bicep)
	@$(CHECKOV)/bin/checkov --directory infra --framework bicep --compact --quiet --skip-download >$(CHECKOV)/report \
		&& grep -q 'Passed checks: [1-9]' $(CHECKOV)/report && ! grep -q 'Parsing errors' $(CHECKOV)/report \
		|| { cat $(CHECKOV)/report; exit 1; }
	@touch $@

contract: install ## run the contract tests against a real Hasura of docker-compose.yml, and X where its keys are given
	@$(BIN)/python -m scripts.contract $(OPTIONS)

dotenv: install ## write .env from .env.example, with secrets of its own
	@$(BIN)/python -m admin.make_dotenv

fill-vault: install ## put the secrets of .env into an Azure Key Vault: make fill-vault VAULT=kv-name
	@$(BIN)/python -m admin.fill_vault --vault "$$VAULT_GIVEN" $(OPTIONS)

lock: install ## write requirements.lock: exact versions and hashes of what requirements.txt allows today
	@$(BIN)/python -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' --output-file requirements.lock requirements.txt

vendor: install ## copy the page's libraries into web/vendor again, as package-lock.json pins it
	@npm ci --silent --no-fund --no-audit
	@$(BIN)/python -m scripts.vendor

doctor: install ## report what is lost, published twice, stuck or misconfigured, here or by .env in production
	@$(BIN)/python -m doctor $(OPTIONS)

link-account: install ## link an account on X to a user, by the PIN that X shows: make link-account USER=alice
	@$(BIN)/python -m admin.link_account $(USERNAME_OPTION) $(OPTIONS)

unlink-account: install ## unlink an account on X from a user: make unlink-account USER=alice
	@$(BIN)/python -m admin.unlink_account $(USERNAME_OPTION) $(OPTIONS)

forget-user: install ## delete a user with posts, logs and accounts, for good: make forget-user USER=alice
	@$(BIN)/python -m admin.forget_user $(USERNAME_OPTION) $(OPTIONS)

rotate-keys: install ## seal the tokens of all accounts with the first key of X_TOKEN_KEYS
	@$(BIN)/python -m admin.rotate_keys $(OPTIONS)

pause: install ## attempt no post until make resume, and tell authors why: make pause REASON='Back at noon'
	@$(BIN)/python -m admin.pause --reason "$$REASON_GIVEN" $(OPTIONS)

resume: install ## end the pause of the app, whoever began it
	@$(BIN)/python -m admin.resume $(OPTIONS)

limits: install ## show the limits of authors, or change them: make limits OPTIONS='--user alice --pending 500'
	@$(BIN)/python -m admin.limits $(OPTIONS)

reconcile: install ## after a restore, record what X has since the backup: make reconcile SINCE=2026-11-27T10:00Z STOPPED=2026-11-27T11:20Z
	@$(BIN)/python -m admin.reconcile --since "$$SINCE_GIVEN" --stopped-at "$$STOPPED_GIVEN" $(OPTIONS)

delete-old-events: install ## delete Hasura's ended events and their logs: make delete-old-events OLDER_THAN=7d
	@$(BIN)/python -m admin.delete_old_events --older-than "$$OLDER_THAN_GIVEN" $(OPTIONS)

clean: ## remove the environment and the stack's data
	@rm -rf $(VENV) .local .hypothesis .mypy_cache .pytest_cache .ruff_cache node_modules
