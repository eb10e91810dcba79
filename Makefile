# `make help` explains the targets. Everything is installed into $(VENV), from locked files.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that runs, is new enough and can make environments. A name on the PATH may be
# a placeholder, so each one is tried. The system's own goes first: it is built with every
# optimisation and takes an eighth less time.
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for folder in /usr/bin/ ""; do \
	for name in python3.13 python3.12 python3.11 python3.14 python3; do \
	"$$folder$$name" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$folder$$name"; exit; }; \
	done; done; true)
VENV ?= .venv
BIN := $(VENV)/bin
TESTS ?=
# For each database. One part of the tests is there sooner without workers that have to start.
TEST_WORKERS ?= $(if $(TESTS),0,3)
# quick: what is not marked `slow`; rest: the others; all: both. LONG=1 adds those marked `long`.
TIER ?= quick
CHAOS ?= $(STORM)
LONG ?=
STORM ?=
MUTANTS ?=
ONCE_MORE ?=
SECOND :=
PYTEST = $(BIN)/pytest -q -o cache_dir=.pytest_cache/$@ $(if $(LONG),--long)
# Small portions in the given order, which begins with the longest tests.
CHOSEN = -n $(TEST_WORKERS) --dist load --maxschedchunk 4 --tier=$(TIER) $(SECOND) $(TESTS)
# Real processes and browsers can starve beside each other: with ONCE_MORE, failed tests run
# once more, alone, and have to pass there.
FAILED_ALONE = $(PYTEST) -x -n 0 --last-failed --last-failed-no-failures none
SAY_ONCE_MORE := echo "== FAILED BESIDE OTHERS; once more, alone =="

# Every branch of these modules is tested: they keep the promise that no paid call is repeated.
# `make coverage` fails otherwise.
FULLY_COVERED := core/states.py messaging/apply_report.py otp/check_code.py providers/engine/claims.py \
	providers/engine/retry.py rentals/place_orders.py rentals/placement_results.py

AS_TESTED := env -u TEST_DATABASE_URL DJANGO_SETTINGS_MODULE=tests.settings

NEXT_VENV ?= .venv-next
IS_NEXT := import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))
NEXT_PYTHON ?= $(shell for name in /usr/bin/python3.13 python3.13 \
	"$$(uv python find 3.13 2>/dev/null)" "$$HOME"/.pyenv/versions/3.13*/bin/python; do \
	"$$name" -c '$(IS_NEXT)' >/dev/null 2>&1 && { echo "$$name"; exit; }; done; true)
NEXT := django-unfold "django>=6.1,<6.2"

PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--no-annotate --python-version 3.11 pyproject.toml
COMMA := ,
SPACE := $(subst ,, )
REGISTRIES := (https?|file)://[^ ]*/simple([/" ]|$$)|index-url[= ]+[a-z]+:|pypi[.]org|pythonhosted[.]org|npmjs[.]org|deb[.]debian[.]org

.PHONY: help demo dev run test test-all test-rest test-next test-next-run test-sqlite test-postgres \
	test-postgres-second coverage chaos storm bench mutants check check-format check-lint check-types \
	check-imports check-migrations check-translations check-registries format lock messages clean

help: ## List the targets
	@echo "make demo   tries everything out with practice providers; nothing is sent, nothing costs"
	@echo "make run    the same portal for real accounts; .env.example lists what can be set"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) \
		| while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done
	@echo
	@echo "Variables: PYTHON=$(PYTHON)  VENV=$(VENV)  TEST_WORKERS=$(TEST_WORKERS)" \
		" TESTS=\"tests/core -k phone\"  LONG=1"

# --- running ---------------------------------------------------------------

demo: $(VENV)/.installed ## Start the portal with demo staff, demo accounts and practice providers
	@exec $(BIN)/python manage.py portal --demo

# It reads no .env, so that it can never reach real accounts or a real database.
dev: $(VENV)/.installed-dev ## Start the demo for developers: it reloads on change, with data of its own in data/dev
	@exec env -u DATABASE_URL -u STATIC_ROOT ENV_FILE= DATA_DIR=data/dev DEBUG=true \
		$(BIN)/python manage.py portal --demo --reload --grace 10

run: $(VENV)/.installed ## Start the portal for real accounts
	@exec $(BIN)/python manage.py portal

# --- quality ---------------------------------------------------------------

# Both databases at once: alone, each leaves the processor idle now and then.
test: $(VENV)/.installed-dev ## Run the tests on SQLite, and the database-dependent ones on PostgreSQL
	@$(MAKE) -j2 test-sqlite test-postgres-second

test-all: ## Run the slow tests as well, every database-dependent one on both (LONG=1: the long ones, too)
	@$(MAKE) test TIER=all

test-rest: ## Run what `make test` leaves out of `make test-all`
	@$(MAKE) test TIER=rest

# Its output is printed at its end, so that the two do not mix.
test-postgres-second: $(VENV)/.installed-dev
	@mkdir -p .pytest_cache; output=.pytest_cache/$@.log; status=0; \
	$(MAKE) test-postgres SECOND=--second-database >$$output 2>&1 || status=$$?; \
	cat $$output; exit $$status

# Each worker would compile every test anew, for each database.
test-sqlite test-postgres test-postgres-second coverage: export PYTHONDONTWRITEBYTECODE =

test-sqlite: $(VENV)/.installed-dev ## Run the tests on SQLite only (TIER=all: the slow ones, too)
	@echo "== tests on SQLite =="
	@env -u TEST_DATABASE_URL $(PYTEST) $(CHOSEN) $(if $(ONCE_MORE),|| { $(SAY_ONCE_MORE); \
		env -u TEST_DATABASE_URL $(FAILED_ALONE); })

test-postgres: $(VENV)/.installed-dev ## Run the tests on PostgreSQL only; a server is found or brought along
	@echo "== tests on PostgreSQL$(if $(SECOND), that depend on the database) =="
	@$(BIN)/python -m tests.database $(PYTEST) $(CHOSEN) $(if $(ONCE_MORE),|| { $(SAY_ONCE_MORE); \
		$(BIN)/python -m tests.database $(FAILED_ALONE); })

coverage: $(VENV)/.installed-dev ## Report branch coverage, here and in htmlcov/; some modules must have 100 %
	@ls $(FULLY_COVERED) >/dev/null
	@env -u TEST_DATABASE_URL $(PYTEST) $(CHOSEN) --cov --cov-report=html --cov-report=term
	@echo "== every branch of the modules that keep the promise =="
	@$(BIN)/coverage report --show-missing --fail-under=100 \
		--include=$(subst $(SPACE),$(COMMA),$(FULLY_COVERED))

# An environment of its own, since the locked one keeps Django and the theme where they are.
# Deprecation warnings are shown, not errors.
test-next: ## Try the tests on Python 3.13, Django 6.1 and the newest theme; they may fail
	@"$(NEXT_PYTHON)" -c '$(IS_NEXT)' 2>/dev/null || { echo "Python 3.13 is not here: install it" \
		"(python3.13-venv, pyenv or uv) and name it with NEXT_PYTHON=…"; exit 1; }
	@$(MAKE) $(NEXT_VENV)/.installed-next VENV=$(NEXT_VENV) PYTHON="$(NEXT_PYTHON)"
	@$(MAKE) test-next-run VENV=$(NEXT_VENV) \
		|| echo "== failures are allowed here; docs/adr/0009 lists those that are known =="

test-next-run: export PYTHONDONTWRITEBYTECODE =
test-next-run:
	@env -u TEST_DATABASE_URL $(PYTEST) -W default::DeprecationWarning \
		-W default::PendingDeprecationWarning $(CHOSEN)

chaos: $(VENV)/.installed-dev ## Kill engine processes 50 times while calls of every kind go out (CHAOS="--seed 7")
	@$(BIN)/python -m benchmarks.chaos --database sqlite $(CHAOS)
	@$(BIN)/python -m benchmarks.chaos --database postgresql $(CHAOS)

# The name that it had before.
storm: chaos

bench: $(VENV)/.installed-dev ## Measure dispatch, latency and limits on a machine at rest (LONG=1: longer)
	@LONG="$(LONG)" $(BIN)/python -m benchmarks

# The tool has an environment of its own: no other target needs it.
MUTANTS_VENV := .venv-mutants
mutants: ## Put small faults into the code and list those that no test notices (MUTANTS="claims retry --seed 7")
	@$(MAKE) VENV=$(MUTANTS_VENV) $(MUTANTS_VENV)/.installed-mutants
	@nice -n 10 $(MUTANTS_VENV)/bin/python -m tools.mutants $(MUTANTS)

CHECKS := format lint types imports migrations translations registries

check: ## Run all checks: format, lint, types, imports, migrations, translations, registries
	@for name in $(CHECKS); do echo "== $$name =="; $(MAKE) check-$$name || exit 1; done

check-format: $(VENV)/.installed-dev
	@$(BIN)/ruff format --check .

check-lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .

check-types: $(VENV)/.installed-dev
	@$(BIN)/mypy .

check-imports: $(VENV)/.installed-dev
	@$(BIN)/lint-imports

check-migrations: $(VENV)/.installed-dev
	@$(AS_TESTED) $(BIN)/python manage.py makemigrations --check --dry-run

check-translations: $(VENV)/.installed-dev
	@$(BIN)/python -m tools.translations --check

# No address of a package registry may stand in any file.
check-registries:
	@! git grep --untracked -nIE '$(REGISTRIES)'

format: $(VENV)/.installed-dev ## Format the code and repair what the linter can
	@$(BIN)/ruff check --fix . || true
	@$(BIN)/ruff format .

messages: $(VENV)/.installed-dev ## Collect texts for translation into locale/ (needs GNU gettext)
	@$(BIN)/python -m tools.translations

lock: ## Choose versions anew and write the locked files (needs uv; read the difference)
	@$(COMPILE) --upgrade -o requirements.lock
	@$(COMPILE) --upgrade --extra dev -o requirements-dev.lock
	@$(COMPILE) --upgrade --extra dev --extra mutants -o requirements-mutants.lock

clean: ## Remove the virtual environment and every cache, but no data
	@rm -rf $(VENV) $(NEXT_VENV) $(MUTANTS_VENV) .mutants .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis .coverage .coverage.* htmlcov
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

$(VENV)/.installed-mutants: requirements-mutants.lock | $(BIN)/python
	@echo "Installing what the portal, its tests and the mutants need"
	@$(PIP) -r requirements-mutants.lock
	@touch $@

$(VENV)/.installed-next: $(VENV)/.installed-dev
	@echo "Installing Django 6.1 and the newest theme"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade $(NEXT)
	@touch $@
