# `make help` explains the targets. Everything is installed into $(VENV), from locked files.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that runs at all, is new enough and can make environments. (A name that is
# on the PATH may be a mere placeholder, so each one is tried.) The system's own goes first:
# its makers build it with every optimisation, and the same work takes an eighth less time.
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for folder in /usr/bin/ ""; do \
	for name in python3.13 python3.12 python3.11 python3.14 python3; do \
	"$$folder$$name" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$folder$$name"; exit; }; \
	done; done; true)
VENV ?= .venv
BIN := $(VENV)/bin
# For each database.
TEST_WORKERS ?= 3
TESTS ?=
CHAOS ?= $(STORM)
LONG ?=
ONCE_MORE ?=
ONLY :=
# In small portions and in their order, which begins with the long ones.
PYTEST = $(BIN)/pytest -q -o cache_dir=.pytest_cache/$@ -n $(TEST_WORKERS) --dist load \
	--maxschedchunk 4 $(ONLY) $(TESTS)
# Real processes and browsers beside each other can starve: with ONCE_MORE, what failed runs
# once more, alone, and has to pass there.
FAILED_ALONE = $(BIN)/pytest -q -x -o cache_dir=.pytest_cache/$@ -n 0 --last-failed \
	--last-failed-no-failures none
SAY_ONCE_MORE := echo "== FAILED BESIDE OTHERS; once more, alone =="

AS_TESTED := env -u TEST_DATABASE_URL DJANGO_SETTINGS_MODULE=tests.settings

PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--no-annotate --python-version 3.11 pyproject.toml
# Addresses of package registries, in whatever file.
REGISTRIES := (https?|file)://[^ ]*/simple([/" ]|$$)|index-url[= ]+[a-z]+:|pypi[.]org|pythonhosted[.]org|npmjs[.]org|deb[.]debian[.]org

.PHONY: help demo run test test-sqlite test-postgres test-postgres-aside chaos storm bench check \
	format lock messages clean

help: ## List the targets
	@echo "make demo   tries everything out with practice providers; nothing is sent, nothing costs"
	@echo "make run    the same portal for real accounts; .env.example lists what can be set"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) \
		| while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done
	@echo
	@echo "Variables: PYTHON=$(PYTHON)  VENV=$(VENV)  TEST_WORKERS=$(TEST_WORKERS)" \
		" TESTS=\"tests/core -k phone\""

# --- running ---------------------------------------------------------------

demo: $(VENV)/.installed ## Start the portal with demo staff, demo accounts and practice providers
	@exec $(BIN)/python manage.py portal --demo

run: $(VENV)/.installed ## Start the portal for real accounts
	@exec $(BIN)/python manage.py portal

# --- quality ---------------------------------------------------------------

# What touches no database, or sees only what none can change, says the same on any, so it runs
# once. Both run at once: alone, each leaves the processor idle now and then.
test: $(VENV)/.installed-dev ## Run every test on SQLite, and on PostgreSQL too if a database can matter
	@$(MAKE) -j2 test-sqlite test-postgres-aside

# What it says is kept until its end, so as not to mix with the other's.
test-postgres-aside: $(VENV)/.installed-dev
	@mkdir -p .pytest_cache; said=.pytest_cache/$@.log; status=0; \
	$(MAKE) test-postgres ONLY=--only-with-database >$$said 2>&1 || status=$$?; \
	cat $$said; exit $$status

# Each worker would compile every test anew, for each database.
test-sqlite test-postgres test-postgres-aside: export PYTHONDONTWRITEBYTECODE =

test-sqlite: $(VENV)/.installed-dev ## Run every test on SQLite
	@echo "== tests on SQLite =="
	@env -u TEST_DATABASE_URL $(PYTEST) $(if $(ONCE_MORE),|| { $(SAY_ONCE_MORE); \
		env -u TEST_DATABASE_URL $(FAILED_ALONE); })

test-postgres: $(VENV)/.installed-dev ## Run every test on PostgreSQL, which is found or brought along
	@echo "== tests on PostgreSQL$(if $(ONLY), where a database can matter: the others ran on SQLite) =="
	@$(BIN)/python -m tests.database $(PYTEST) $(if $(ONCE_MORE),|| { $(SAY_ONCE_MORE); \
		$(BIN)/python -m tests.database $(FAILED_ALONE); })

chaos: $(VENV)/.installed-dev ## Kill engine processes 50 times while calls of every kind go out (CHAOS="--seed 7")
	@$(BIN)/python -m benchmarks.chaos --database sqlite $(CHAOS)
	@$(BIN)/python -m benchmarks.chaos --database postgresql $(CHAOS)

# The name that it had before.
storm: chaos

bench: $(VENV)/.installed-dev ## Measure dispatch, latency and limits on a machine at rest (LONG=1: longer)
	@LONG="$(LONG)" $(BIN)/python -m benchmarks

check: $(VENV)/.installed-dev ## Check format, lint, types, imports, migrations, translations, registries
	@echo "== format ==";       $(BIN)/ruff format --check .
	@echo "== lint ==";         $(BIN)/ruff check .
	@echo "== types ==";        $(BIN)/mypy .
	@echo "== imports ==";      $(BIN)/lint-imports
	@echo "== migrations ==";   $(AS_TESTED) $(BIN)/python manage.py makemigrations --check --dry-run
	@echo "== translations =="; $(BIN)/python -m tools.translations --check
	@echo "== registries ==";   ! git grep --untracked -nIE '$(REGISTRIES)'

format: $(VENV)/.installed-dev ## Format the code and repair what the linter can
	@$(BIN)/ruff check --fix . || true
	@$(BIN)/ruff format .

messages: $(VENV)/.installed-dev ## Collect texts for translation into locale/ (needs GNU gettext)
	@$(BIN)/python -m tools.translations

lock: ## Choose versions anew and write both locked files (needs uv; read the difference)
	@$(COMPILE) --upgrade -o requirements.lock
	@$(COMPILE) --upgrade --extra dev -o requirements-dev.lock

clean: ## Remove the virtual environment and every cache, but no data
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find locale -name '*.mo' -delete

# --- installing ------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one with PYTHON=…"; exit 1; }
	@echo "Making a virtual environment in $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.lock | $(BIN)/python
	@echo "Installing what the portal needs"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock requirements.lock | $(BIN)/python
	@echo "Installing what the portal and its tests need"
	@$(PIP) -r requirements-dev.lock
	@touch $(VENV)/.installed $@
