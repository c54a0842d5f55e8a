# Two commands do everything:
#   make run    installs, builds the model, starts the service, prints its address
#   make test   installs, proves it
#
# PYTHON=/path/to/python chooses another interpreter (3.11, 3.12 or 3.13).

# TensorFlow, which builds the model, has no packages for 3.14 yet.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header
# The default model, which the service loads, and the fast one, which tests need, too.
FUSED := models/fused/manifest.json
SFACE := models/sface/manifest.json
MODEL_SOURCES := $(wildcard model/*.py model/backbones/*.py model/licences/* \
	training/build.py training/profiles.py training/bounds.py training/half_floats.py training/projection.py training/dlib_file.py \
	training/head.py training/onnx_files.py training/fitted/*.json)
ROOT_OR_SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Bytecode is kept whatever the environment says, as containers' does: a start of the service
# would compile its modules anew each time, for a fifth of a second.
export PYTHONDONTWRITEBYTECODE :=

.DELETE_ON_ERROR:
# One pip at a time in one environment.
.NOTPARALLEL:
.PHONY: help run build test test-long lint format docs bench bench-peers audit-dependencies lock openapi openapi-release chromium clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /	/'

run: .venv/.service $(FUSED) ## install, build the model if absent, start the service
	@exec $(BIN)/python -m service

build: .venv/.training ## build the default model into models/fused
	@$(BIN)/python -m training build

test: .venv/.tests $(FUSED) $(SFACE) chromium ## prove it (the quick tests, some 15 minutes on 2 cores)
	@$(BIN)/python -m pytest -n 2 --dist loadfile

test-long: .venv/.tests $(FUSED) $(SFACE) ## tests that take longer: more databases, kills, containers (needs Docker)
	@$(BIN)/python -m pytest -m long -s

lint: .venv/.tests ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: .venv/.tests ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: .venv/.tests ## the documents as a site, in build/docs/site; a warning is an error
	@$(BIN)/python -m docs.website

bench: .venv/.tests $(FUSED) $(SFACE) ## how fast it is on this machine, against others (25 minutes)
	@$(MAKE) -s --no-print-directory bench-peers || echo "going on without the peers"
	@$(BIN)/python -m bench

bench-peers: .venv-peers/.installed ## install what the bench compares with, in .venv-peers

audit-dependencies: .venv/.tests ## ask the package index which locked versions have known faults
	@for part in service training tests; do echo "$$part:"; $(BIN)/uv tool run pip-audit==2.10.1 \
		--strict --progress-spinner off --disable-pip --require-hashes -r $$part/requirements.lock || exit 1; done

lock: .venv/.tests ## choose and lock the versions again
	@for part in "service" "training --extra training" "tests --extra training --extra dev --extra otel"; do \
		set -- $$part; folder=$$1; shift; \
		$(LOCK) $$@ pyproject.toml -o $$folder/requirements.lock; \
	done
	@$(LOCK) --extra otel pyproject.toml -o service/requirements-otel.lock
	@$(LOCK) tests/compreface.in -o tests/compreface.lock
	@$(LOCK) bench/peers.in --override bench/peers.override -o bench/peers.lock

openapi: .venv/.service ## write the API's specification into docs/openapi.json again
	@$(BIN)/python -m service openapi > docs/openapi.json.part && mv docs/openapi.json.part docs/openapi.json

openapi-release: openapi ## take it as what was released, which later ones are held against
	@cp docs/openapi.json docs/openapi-released.json

clean: ## remove the environment and the model
	rm -rf .venv .venv-peers models

# Each lock holds the one before, so one environment serves all three.
.venv/.service: service/requirements.lock | .venv/bin/pip
	@echo "installing the service ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

.venv/.training: training/requirements.lock | .venv/bin/pip
	@echo "installing what builds the model (TensorFlow: a few hundred MB, once) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

.venv/.tests: tests/requirements.lock | .venv/bin/pip
	@echo "installing what tests need ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@ .venv/.training .venv/.service

# Without dependencies: the lock is whole, and one of them is there under another name.
.venv-peers/.installed: bench/peers.lock | .venv/bin/pip
	@echo "installing what the bench compares with ..."
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

.venv/bin/pip:
	@[ -n "$(PYTHON)" ] || { echo "error: Python 3.11, 3.12 or 3.13 is needed; set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Debian and Ubuntu keep venv in a package of its own; installing python3-venv"; \
		$(ROOT_OR_SUDO) apt-get update -qq && $(ROOT_OR_SUDO) apt-get install -y -qq python3-venv; }
	@$(PYTHON) -m venv .venv

$(FUSED): PROFILE := accurate
$(SFACE): PROFILE := fast
$(FUSED) $(SFACE): $(MODEL_SOURCES) | .venv/.service
	@$(MAKE) -s --no-print-directory .venv/.training
	@echo "building the $(PROFILE) model ..."
	@$(BIN)/python -m training build --profile $(PROFILE)

chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		echo "installing chromium"; $(ROOT_OR_SUDO) apt-get update -qq && \
		$(ROOT_OR_SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }
