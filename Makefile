# Everything a person or CI does here. `make demo` and `make test` set up what they need first.
#
#   make demo [DATA=folder]     the whole service on real images, from nothing to a distilled detector in ./demo
#   make test [TESTS_AT_ONCE=2] unit, integration and browser tests
#   make chaos [ROUNDS=3] [JOBS=8] [SEED=1] [FAULTS=40] [REAL=0]   what docs/reliability.md promises, tried
#   make contract               the object stores alone: a folder, S3 (which one else: docs/operations.md)
#   make fuzz [FUZZ_EXAMPLES=100]   every call of the API with whatever fits its description, and whatever does not
#   make up                     the service on this machine, until Ctrl-C
#   make site                   the documentation as a site, in ./site
#   make lint                   style, types, who may import whom, and the files for Compose and Kubernetes
#   make setup [TORCH_BACKEND=cpu]
#
# Needs Python >= 3.11 with its venv module (PYTHON=python3.12 names another one). No root, no Docker, no compiler.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
# Empty: torch as locked, the CUDA build, which runs on a CPU, too. Else a backend of `uv --torch-backend`, such as cpu.
TORCH_BACKEND ?=
DATA ?=

VENV := .venv
BIN := $(VENV)/bin
# One stamp a step and choice: a step runs again when what it depends on is newer.
PACKAGES := $(VENV)/.packages-$(or $(TORCH_BACKEND),locked)
# What comes from torch's own index when a backend is chosen.
TORCH_PARTS := ^(torch|torchvision|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==

.PHONY: help setup demo up test lint bench browser chaos contract docs site examples fuzz lock format
help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' $(MAKEFILE_LIST)

setup: $(PACKAGES) $(VENV)/.project
	@$(BIN)/python -P api/dashboard/assets.py > /dev/null

demo: setup
	$(BIN)/fgfi demo --out demo $(if $(DATA),--data-set '$(DATA)')

up: setup
	$(BIN)/fgfi up

# Two processes, each with servers of its own; a file's tests stay together and in their order, browsers last.
TESTS_AT_ONCE ?= 2
test: setup
	@.ci/chromium
	$(BIN)/python -m pytest -m "not chaos" -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

browser: setup
	@.ci/chromium
	$(BIN)/python -m pytest tests/browser

# Kills, stops and cuts off every part while jobs run; ends with one line, red when something was lost or done twice.
ROUNDS ?= 3
JOBS ?= 8
SEED ?= 1
FAULTS ?= 40
REAL ?= 0
chaos: setup
	@$(BIN)/python -m tests.chaos.drive --rounds $(ROUNDS) --jobs $(JOBS) --seed $(SEED) --faults $(FAULTS) --real $(REAL)

contract: setup
	$(BIN)/python -m pytest tests/store/objects tests/integration/store/objects

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@[ ! -x $(BIN)/hadolint ] || $(BIN)/hadolint docker/*.Dockerfile
	@[ ! -x $(BIN)/kubectl ] || $(BIN)/kubectl kustomize deploy/kubernetes/example | $(BIN)/kubernetes-validate --strict --quiet --no-warn -

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Each measurement prints a table. Experiments that train for an hour are started by hand: docs/results.md says how.
bench: setup
	@for name in region adapter step; do echo "== $$name"; $(BIN)/python -m bench.$$name; done

# The pages that are written by the code.
docs: setup
	$(BIN)/typer client.main utils docs --name fgfi --title "The fgfi command" --output docs/commands.md
	$(BIN)/python -m fgfi_core.spec.reference > docs/spec.md
	$(BIN)/python -m tests.integration.api.authorisation
	$(BIN)/python -m tests.fgfi_core.data.hostile
	$(BIN)/python -m api.describe errors > docs/errors.md
	$(BIN)/python -m api.describe openapi > docs/openapi.json

# The documentation as a site, in ./site: open site/index.html.
site: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The answers in api/examples/, where their shape has changed, and those to wrong requests in docs/rest.md.
examples: setup
	WRITE_EXAMPLES=1 $(BIN)/python -m pytest -q tests/integration/api/test_examples.py tests/integration/api/test_mistakes.py
	@$(MAKE) -s docs

# Every call that is described, tried for longer than `make test` does.
FUZZ_EXAMPLES ?= 100
fuzz: setup
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -s --timeout 3600 tests/integration/api/test_every_call.py

# Resolve anew after a change in pyproject.toml; versions already locked stay unless they must move.
lock: $(PACKAGES)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
	  echo "Python >= 3.11 is needed, and '$(PYTHON)' is none: install it, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2> /dev/null || { \
	  echo "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The installer itself, by version and hash out of the same lock.
$(VENV)/.uv: requirements.lock | $(BIN)/python
	@awk '/^[a-z0-9]/ { wanted = /^uv==/ } wanted' requirements.lock > $@.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $@.txt || { \
	  echo "uv could not be installed: is the package registry reachable?" >&2; exit 1; }
	@touch $@

$(VENV)/.packages-locked: requirements.lock | $(VENV)/.uv
	@rm -f $(VENV)/.packages-* $(VENV)/.project
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes --quiet requirements.lock
	@touch $@

# torch's own index builds other files than the registry, so the lock's hashes cannot hold for it: its versions do.
$(VENV)/.packages-%: requirements.lock | $(VENV)/.uv
	@rm -f $(VENV)/.packages-* $(VENV)/.project
	@awk '/^[a-z0-9]/ { wanted = !/$(TORCH_PARTS)/ } wanted' requirements.lock > $@.txt
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes --quiet $@.txt
	$(BIN)/uv pip install --python $(BIN)/python --quiet --torch-backend $* \
	  $$(grep -oE '^(torch|torchvision)==[0-9.]+' requirements.lock)
	@touch $@

# The checkout itself, editable, with the build tools of the lock: nothing is fetched.
$(VENV)/.project: pyproject.toml $(PACKAGES)
	@$(BIN)/uv pip install --python $(BIN)/python --quiet --offline --no-deps --no-build-isolation --editable .
	@touch $@
