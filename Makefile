# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help setup setup-test setup-bench run test lint types pytest bench clean

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= $(or $(HATCHMAP_PORT),8000)
# Processes that share the tests, file by file.
TESTERS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.installed web/node_modules/.installed ## install the program: leaves .venv/bin/hatchmap

run: setup ## install, make the store if there is none, and serve the map at http://127.0.0.1:8000
	$(BIN)/hatchmap serve --init --host $(HOST) --port $(PORT)

test: lint types pytest ## install what tests need, then style, types and every test

lint: setup-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup-test
	$(BIN)/mypy

pytest: setup setup-test
	$(BIN)/pytest -n $(TESTERS) --dist loadfile

bench: setup-bench ## speed beside the named peers, as ratios; writes bench-results.json
	$(BIN)/python -m tests.bench

clean: ## remove what set-up installed (never the data folder)
	rm -rf .venv web/node_modules .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

# --- what set-up is made of -----------------------------------------------------------------

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Hatchmap needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv \
	  || { echo "The venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 2; }

.venv/.installed: requirements.txt pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m geo.warm
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 18 or newer" >&2; exit 2; }
	cd web && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

setup-test: .venv/.tests-installed
	@command -v chromium >/dev/null && command -v pdftoppm >/dev/null && fc-list :lang=zh family | grep -q . \
	  || { command -v apt-get >/dev/null \
	       || { echo "Tests need Chromium, pdftoppm and a Chinese font: install chromium, poppler-utils and Noto CJK" >&2; exit 2; }; \
	       $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	         apt-get install -y -qq --no-install-recommends chromium poppler-utils fontconfig fonts-noto-cjk >/dev/null; }

.venv/.tests-installed: requirements-test.txt .venv/.installed
	$(PIP) install --require-hashes -r requirements-test.txt
	@touch $@

setup-bench: .venv/.bench-installed
	@command -v wrk >/dev/null \
	  || { command -v apt-get >/dev/null || { echo "The bench of the search needs wrk: install it" >&2; exit 2; }; \
	       $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends wrk >/dev/null; }
.venv/.bench-installed: requirements-bench.txt .venv/.installed
	$(PIP) install --require-hashes -r requirements-bench.txt
	@touch $@
