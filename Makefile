# The commands of a developer, a demo, CI and an installation; `make help` lists them. They need GNU make, a POSIX shell and
# Python 3.11 or newer with venv. The programs are in tools/; the libraries come from the lock files, by hash.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

.PHONY: run build developer test chromium check lint bench soak bare texts format lock licences wheel image clean help

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
# One process runs a whole file; files are taken in the order of tests/conftest.py.
PARALLEL = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# The Python of the machine, for what comes before the environment: PYTHON=/path/to/python3 names another.
HERE := tools/python.sh
export PYTHON CHROMIUM UPGRADE BEFORE
# Compile each module once, not at every start: some machines forbid it for all programs by this variable.
unexport PYTHONDONTWRITEBYTECODE

## run: serve the demo on http://127.0.0.1:8000 (PORT=8080 changes the port) until interrupted
run: build
	@$(if $(PORT),SIGNALS__SERVER__PORT='$(PORT)') exec $(BIN)/signals serve --prepare

## build: what an installation needs, without the tools of developers; docs/deployment.md continues from there
build:
	@$(HERE) -m tools.install product

developer:
	@$(HERE) -m tools.install developer

## test: every test, on SQLite, a real PostgreSQL and a real Chromium; nothing is skipped
test: chromium
	@$(MAKE) developer
	@$(HERE) -m tools.proxy
	@$(PYTEST) -q $(PARALLEL) $(ARGS)

chromium:
	@$(HERE) -m tools.browser $(ARGS)

## check: lint, types, layers and the fast tests, in less than a minute
check: lint
	@$(PYTEST) -q $(PARALLEL) -m 'not slow and not browser and not postgres and not system' $(ARGS)

## lint: the part of check without tests
lint: developer
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy signals notifications privacy tools
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/reuse lint --quiet
	@$(BIN)/python -m tools.licences --check
	@$(BIN)/python -m tools.advisories
	@$(BIN)/codespell signals notifications privacy tools migrations tests docs README.md wsgi.py Makefile

# `make bench growth` and `make soak faults`: the words after these two name a part.
PART := $(wordlist 2,9,$(MAKECMDGOALS))
ifneq ($(filter bench soak,$(firstword $(MAKECMDGOALS))),)
ARGS += $(patsubst faults,tests/operations/test_kills.py,$(PART))
$(PART):
	@:
endif

## bench: the measurements of the design, as a table and as JSON
bench: developer
	@$(BIN)/python -m tests.bench $(ARGS)

## soak: the long random runs; `make test` has their seeded part
soak: chromium
	@$(MAKE) developer
	@$(PYTEST) -q --hypothesis-profile=soak --hypothesis-show-statistics -m 'hypothesis or soak' $(ARGS)

## bare: try both commands on bare Debian systems, as root and as a normal user, and print a table
bare:
	@$(HERE) -m tools.bare $(ARGS)

## texts: bring the catalogues of translations up to date with the code
texts: developer
	@$(BIN)/python -m tools.texts

## format: put the code in the shape that `make check` asks for
format: developer
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

## lock: pin what pyproject.toml and package.json ask for; UPGRADE=1 takes the newest, BEFORE=2026-11-18 caps
lock: build
	@$(HERE) -m tools.pins

## licences: write THIRD_PARTY.md from the two locks
licences: developer
	@$(BIN)/python -m tools.licences

## wheel: dist/signals-*.whl, with front-end files and translations
wheel: developer
	@rm -rf build
	@$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --no-index -w dist .

## image: build the image of all roles with buildah and debootstrap, as root, and run each role
image: wheel
	@$(BIN)/python -m tools.image

## clean: remove what was made, and keep config.toml, keys and data (var/)
clean:
	rm -rf .venv .cache node_modules tests/*/node_modules signals/web/static/vendor build dist *.egg-info .pytest_cache \
	  .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find signals notifications privacy migrations tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	find signals notifications -name '*.mo' -delete

## help: this list
help:
	@sed -n 's/^## \([a-z]*\): \(.*\)/make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
