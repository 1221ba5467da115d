# `make` alone lists the verbs. Everything Python lives in .venv, at the versions and hashes of requirements/*.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z.]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.local .env ## the whole shop on this machine; ARGS="--once", "--transport http", "--billing on_request", "--apart", "--port N", "--external"
	@$(BIN)/python manage.py demo $(ARGS)

test: tools lint ## the whole suite; ARGS are pytest's
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev ## style, types, layers, migrations, settings for production
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@.ci/checks $(BIN)/python

tools: ## what the real parts of the tests need: Java, Maven, Node, Chromium
	@.ci/tools

mutants: $(VENV)/.dev ## seed bugs on purpose, one at a time: the suite must catch each; ARGS="NAME …", --all-tests, --write
	@$(BIN)/python -m tests.mutants $(ARGS)

simulate: $(VENV)/.dev ## seeded histories full of faults; ARGS="--seeds N", "--seed N --trace" tells one of them in words
	@$(BIN)/python -m tests.simulation $(ARGS)

fuzz: $(VENV)/.dev ## made-up requests to every path of the running API, as anybody; ARGS="--requests N", "--seconds N", "--seed N", "--write"
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: $(VENV)/.dev ## measure the pipeline, the floor and the ceiling
	@$(BIN)/python -m bench $(ARGS)

flat: $(VENV)/.dev ## measure the shop with five million orders beside an empty one; ARGS="--orders N", "--only speed|pages|relay|memory", "--turns N"
	@$(BIN)/python -m bench.flat $(ARGS)

charts: $(VENV)/.charts ## prove the charts without a cluster; builds Helm by Go the first time
	@$(BIN)/python -m pytest charts/tests $(ARGS)
	@$(BIN)/python -m charts.tests.report

chaos: $(VENV)/.dev ## cause every fault that one machine can; ARGS="--minutes N", "--nodes 3", "--fault NAME", "--orders N", "--seed N"
	@$(BIN)/python -m tests.chaos $(ARGS)

screenshots: $(VENV)/.dev ## take the pictures of the console anew, into docs/img; ARGS="--minutes 15" lets the shop do business before
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

lock: $(VENV)/.dev ## pin requirements/*.in anew; ARGS=--upgrade for the newest versions
	@$(LOCK) requirements/dev.in --output-file requirements/dev.txt $(ARGS)
	@for set in base otel local bench charts; do $(LOCK) requirements/$$set.in --output-file requirements/$$set.txt --constraints requirements/dev.txt $(ARGS); done

.env: ## the settings of this machine, from .env.example, with a random key
	@umask 077 && key=$$($(PYTHON) -c "import secrets; print(secrets.token_urlsafe(50))") && sed "s/^SECRET_KEY=.*/SECRET_KEY=$$key/" .env.example > $@

clean: ## remove what was made, but not the data under var/
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis staticfiles postman/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

# A stamp says which requirements were installed last; dev contains local.
$(VENV)/.local: requirements/local.txt | $(BIN)/python
	@echo "Installing $<"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(BIN)/python
	@echo "Installing $<"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@ $(VENV)/.local

$(VENV)/.charts: requirements/charts.txt | $(BIN)/python
	@echo "Installing $<"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@ $(VENV)/.dev $(VENV)/.local

$(BIN)/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { echo "This Python cannot make virtual environments. Install the package python3-venv (Debian, Ubuntu: apt-get install python3-venv), then try again." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

.PHONY: help demo test lint tools mutants fuzz bench flat chaos charts screenshots lock clean
.DELETE_ON_ERROR:
