# Everything that is typed here. `make` alone prints this list.
PYTHON ?= python3
VENV := .venv
UV_VERSION := 0.13.9
LOCK_DAY := 2026-09-18

BIN := $(VENV)/bin
MARKS := $(VENV)/.shuheng
COMPILE := compile --quiet --universal --python-version 3.11 --exclude-newer $(LOCK_DAY) --generate-hashes \
	--custom-compile-command "make lock"
# Three workers for two cores: one of them waits for Airflow most of its time.
WORKERS := -n 3 --dist loadgroup --no-loadscope-reorder

# What `make run` takes; each may be given as NAME=value.
export PORT SANDBOX_PORT SIZE ONCE SHUHENG_HOME

.DEFAULT_GOAL := help
.PHONY: help run test soak check lock bench stop clean

help:  ## Print this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: $(MARKS)/run  ## Start the sandbox and Airflow, sync three times, stay up until Ctrl-C (ONCE=1 SIZE=2000 PORT=18080 SANDBOX_PORT=18100)
	@$(BIN)/python -m include.sandbox.demo

test: $(MARKS)/dev  ## Run every test, a real PostgreSQL and a real Airflow among them (ARGS='-k name')
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest $(WORKERS) $(ARGS)

soak: $(MARKS)/dev  ## Run the same tests over many more seeds, rows and places to be killed at; takes an hour and more (ARGS as above)
	@env -u PYTHONDONTWRITEBYTECODE SOAK=1 $(BIN)/python -m pytest $(WORKERS) -o timeout=1800 $(ARGS)

check: $(MARKS)/dev  ## Run the linters: ruff, formatting, mypy, the order of the stages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lock: $(MARKS)/uv  ## Rebuild requirements.lock and requirements-dev.lock from the .txt files
	@$(INDEX); $(BIN)/uv pip $(COMPILE) requirements.txt -o requirements.lock
	@$(INDEX); $(BIN)/uv pip $(COMPILE) requirements-dev.txt -o requirements-dev.lock

bench: $(MARKS)/dev  ## Measure against peers and limits (benchmarks/README.md; ARGS=…)
	@$(BIN)/python -m benchmarks $(ARGS)

stop:  ## Stop what `make run` started, from another terminal
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m include.sandbox.demo --stop

clean: stop  ## Stop, and remove the home of `make run` and all caches (the virtual environment stays)
	@rm -rf "$${SHUHENG_HOME:-.shuheng}" .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find $(wildcard dags include plugins tests benchmarks) -name __pycache__ -type d -prune -exec rm -rf {} +

# uv does not read pip's configuration: hand it the index and the certificates that pip was given on this machine.
define INDEX
index=$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true); \
index=$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$index}}; \
[ -z "$$index" ] || export UV_DEFAULT_INDEX="$$index"; \
certs=$${SSL_CERT_FILE:-$${PIP_CERT:-}}; [ -z "$$certs" ] || export SSL_CERT_FILE="$$certs"; \
export VIRTUAL_ENV="$(CURDIR)/$(VENV)" UV_NO_CONFIG=1
endef

# Two steps, each repaired by the next call if it was cut short: the environment with uv in it, then the lock.
# An old pip refuses the hashed lock of Airflow (extras count as unpinned); uv takes it.
$(MARKS)/uv:
	@command -v $(PYTHON) >/dev/null || { echo "make: no '$(PYTHON)' found; install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: $$($(PYTHON) --version) is too old; Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
		echo "make: the virtual environment could not be made; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@echo "preparing $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@mkdir -p $(MARKS) && touch $@

$(MARKS)/run: requirements.lock $(MARKS)/uv
	@echo "installing requirements.lock"
	@$(INDEX); $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@mkdir -p $(MARKS) && touch $@

$(MARKS)/dev: requirements-dev.lock $(MARKS)/uv
	@echo "installing requirements-dev.lock"
	@$(INDEX); $(BIN)/uv pip install --quiet --require-hashes -r requirements-dev.lock
	@mkdir -p $(MARKS) && touch $@
