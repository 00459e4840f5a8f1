# Every target first makes sure that .venv is what the lock says; see infra/bootstrap.
PYTHON_BIN := .venv/bin/python
TYPED := libs services cli tests $(wildcard bench)
# Several tests at a time; support/placement.py says which may run beside one another.
PYTEST := $(PYTHON_BIN) -m pytest -q --maxprocesses=5 --dist=loadscope --no-loadscope-reorder
CORES := $(shell getconf _NPROCESSORS_ONLN)
FAST_TESTS := $(wildcard tests/unit tests/contract tests/simulation)

# Each process would compile some thousand modules anew, which takes longer than what most of them do.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help bootstrap up down test check assets screenshots bench clean

help: ## Show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

bootstrap: ## Make .venv with everything locked (done by every other target as needed)
	@infra/bootstrap

up: bootstrap ## Start the platform on this machine: make up ARGS="--help" shows the options
	@.venv/bin/windlass up $(ARGS)

down: bootstrap ## Stop it
	@.venv/bin/windlass down $(ARGS)

test: bootstrap ## Install what tests need and run them all: make test ARGS="-k gateway"
	@$(PYTHON_BIN) -m windlass.provisioning
	@$(PYTEST) --numprocesses=$$(($(CORES) + 1)) tests $(ARGS) # one more: two begin with installations, which mostly wait

check: bootstrap ## Lint, types, import rules and the fast tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(TYPED)
	.venv/bin/lint-imports
	$(PYTEST) --numprocesses=$(CORES) $(FAST_TESTS)

assets: ## Make the dashboard's styles, scripts, fonts and icons anew (needs node and npm; what they make is committed)
	cd services/gateway/web && npm install --loglevel=error && npm run --silent build

screenshots: bootstrap ## Take the pictures of docs/images anew, of a dashboard with made-up projects
	@$(PYTHON_BIN) docs/screenshots.py

bench: bootstrap ## Run one benchmark: make bench NAME=append QUICK=1
	@test -f "bench/$(NAME).py" || { echo "bench: name one of: $(basename $(notdir $(wildcard bench/*.py)))" >&2; exit 2; }
	@QUICK=$(QUICK) $(PYTHON_BIN) bench/$(NAME).py

clean: ## Remove what can be made again (.venv, caches, dist); the platform's state in .windlass stays
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
