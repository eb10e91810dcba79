# `make help` lists the targets. Everything is installed into $(VENV), from lock files.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that runs, is new enough and can create environments. A name on the PATH may be
# a placeholder, so each one is tried. The system's Python comes first, because it is built with all
# optimisations and takes an eighth less time.
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for folder in /usr/bin/ ""; do \
	for name in python3.13 python3.12 python3.11 python3.14 python3; do \
	"$$folder$$name" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$folder$$name"; exit; }; \
	done; done; true)
VENV ?= .venv
BIN := $(VENV)/bin
TESTS ?=
# Per database. A subset of the tests finishes sooner without workers, which take time to start.
TEST_WORKERS ?= $(if $(TESTS),0,3)
SQLITE_WORKERS ?= $(TEST_WORKERS)
# quick: tests not marked `slow`; rest: the others; all: both. LONG=1 adds those marked `long`.
TIER ?= quick
CHAOS ?= $(STORM)
LONG ?=
STORM ?=
SOAK ?=
SOAK_DATABASES ?= sqlite postgresql
FUZZ ?=
MUTANTS ?=
ONCE_MORE ?=
SECOND :=
WORKERS = $(TEST_WORKERS)
# Each tier has its own cache, so that the next one does not run its failed tests again.
PYTEST = $(BIN)/pytest -q -o cache_dir=.pytest_cache/$@-$(TIER) $(if $(LONG),--long) \
	$(if $(ONCE_MORE),--durations=25 --durations-min=10)
# Small chunks, in the given order, because the longest tests come first.
CHOSEN = -n $(WORKERS) --dist load --maxschedchunk 4 --tier=$(TIER) $(SECOND) $(TESTS)
# In parallel runs, real processes and browsers can starve each other. With ONCE_MORE, failed tests
# run again, one at a time, and must then pass.
FAILED_ALONE = $(PYTEST) -x -n 0 --last-failed --last-failed-no-failures none
ANNOUNCE_RETRY := echo "== FAILED IN PARALLEL; running again, one at a time =="

# These modules keep the promise that no paid call is repeated, so `make coverage` requires that
# every branch is tested.
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

.PHONY: help demo dev run install test test-all test-rest test-next test-next-run test-sqlite test-postgres \
	test-postgres-second test-deploy coverage chaos storm soak fuzz bench screenshots docs mutants guards check check-format check-lint check-types \
	check-imports check-migrations check-translations check-docs check-registries check-audit format lock messages clean

help: ## List the targets
	@echo "make demo   try the portal with sandbox providers: it sends nothing and costs nothing"
	@echo "make run    run the portal for real accounts; .env.example lists the settings"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) \
		| while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done
	@echo
	@echo "Variables: PYTHON=$(PYTHON)  VENV=$(VENV)  TEST_WORKERS=$(TEST_WORKERS)" \
		" TESTS=\"tests/core -k phone\"  LONG=1"

# --- running ---------------------------------------------------------------

demo: $(VENV)/.installed ## Start the portal with demo staff, demo accounts and sandbox providers
	@exec $(BIN)/python manage.py portal --demo

# Ignores .env, so that it can never reach real accounts or a real database.
dev: $(VENV)/.installed-dev ## Start the demo for developers: reloads on changes, with its own data in data/dev
	@exec env -u DATABASE_URL -u STATIC_ROOT ENV_FILE= DATA_DIR=data/dev DEBUG=true \
		$(BIN)/python manage.py portal --demo --reload --grace 10

run: $(VENV)/.installed ## Start the portal for real accounts
	@exec $(BIN)/python manage.py portal

# Before the portal runs as a service, which can read its code but not write to it.
install: $(VENV)/.installed ## Install the portal for a service that cannot write to its own code
	@$(BIN)/python -c \
		"from smsportal.startup.compile_translations import compile_catalogues; compile_catalogues()"
	@$(BIN)/python -m compileall -q -x '/(\.[^/]*|tests|benchmarks)/' .

# --- quality ---------------------------------------------------------------

# Both databases in parallel, because each alone leaves the processor partly idle.
test: $(VENV)/.installed-dev ## Run the tests on SQLite, and the database-dependent ones on PostgreSQL
	@$(MAKE) -j2 test-sqlite test-postgres-second

test-all: ## Also run the slow tests, the database-dependent ones on both databases (LONG=1: long ones, too)
	@$(MAKE) test TIER=all

test-rest: ## Run only the tests that `make test-all` adds to `make test`
	@$(MAKE) test TIER=rest

# Prints its output at the end, so that the two outputs do not mix.
test-postgres-second: $(VENV)/.installed-dev
	@mkdir -p .pytest_cache; output=.pytest_cache/$@.log; status=0; \
	$(MAKE) test-postgres SECOND=--second-database >$$output 2>&1 || status=$$?; \
	cat $$output; exit $$status

# Otherwise each worker would compile every test again, for each database.
test-sqlite test-postgres test-postgres-second coverage: export PYTHONDONTWRITEBYTECODE =

test-sqlite: WORKERS = $(SQLITE_WORKERS)
test-sqlite: $(VENV)/.installed-dev ## Run the tests on SQLite only (TIER=all: also the slow ones)
	@echo "== tests on SQLite =="
	@env -u TEST_DATABASE_URL $(PYTEST) $(CHOSEN) $(if $(ONCE_MORE),|| { $(ANNOUNCE_RETRY); \
		env -u TEST_DATABASE_URL $(FAILED_ALONE); })

test-postgres: $(VENV)/.installed-dev ## Run the tests on PostgreSQL only, with an installed or bundled server
	@echo "== tests on PostgreSQL$(if $(SECOND), that depend on the database) =="
	@$(BIN)/python -m tests.database $(PYTEST) $(CHOSEN) $(if $(ONCE_MORE),|| { $(ANNOUNCE_RETRY); \
		$(BIN)/python -m tests.database $(FAILED_ALONE); })

# Fetches Debian's packages, once a day. Needs root, mmdebstrap and systemd-container.
test-deploy: $(VENV)/.installed-dev ## Build the image, run compose.yaml and boot the unit in a real systemd (some minutes, root)
	@env -u TEST_DATABASE_URL $(PYTEST) --long -n 0 -rs --durations=0 --durations-min=1 tests/deploy

coverage: $(VENV)/.installed-dev ## Report branch coverage, here and in htmlcov/; some modules require 100 %
	@ls $(FULLY_COVERED) >/dev/null
	@env -u TEST_DATABASE_URL $(PYTEST) $(CHOSEN) --cov --cov-report=html --cov-report=term
	@echo "== every branch of the modules that keep the promise =="
	@$(BIN)/coverage report --show-missing --fail-under=100 \
		--include=$(subst $(SPACE),$(COMMA),$(FULLY_COVERED))

# A separate environment, because the lock files pin Django and the theme. Deprecation warnings are
# not errors here.
test-next: ## Run the tests on Python 3.13, Django 6.1 and the newest theme; they may fail
	@"$(NEXT_PYTHON)" -c '$(IS_NEXT)' 2>/dev/null || { echo "Python 3.13 was not found: install it" \
		"(python3.13-venv, pyenv or uv) and name it with NEXT_PYTHON=…"; exit 1; }
	@$(MAKE) $(NEXT_VENV)/.installed-next VENV=$(NEXT_VENV) PYTHON="$(NEXT_PYTHON)"
	@$(MAKE) test-next-run VENV=$(NEXT_VENV) \
		|| echo "== failures are allowed here; docs/developers/adr/0009 lists the known ones =="

test-next-run: export PYTHONDONTWRITEBYTECODE =
test-next-run:
	@env -u TEST_DATABASE_URL $(PYTEST) -W default::DeprecationWarning \
		-W default::PendingDeprecationWarning $(CHOSEN)

chaos: $(VENV)/.installed-dev ## Kill engine processes 50 times while calls of every kind go out (CHAOS="--seed 7")
	@$(BIN)/python -m benchmarks.chaos --database sqlite $(CHAOS)
	@$(BIN)/python -m benchmarks.chaos --database postgresql $(CHAOS)

# The former name.
storm: chaos

soak: $(VENV)/.installed-dev ## Run the portal for an hour while all around it fails (SOAK="--minutes 4 --seed 7")
	@for database in $(SOAK_DATABASES); do \
		$(BIN)/python -m benchmarks.soak --database $$database $(SOAK) || exit 1; done

fuzz: $(VENV)/.installed-dev ## Search for input that breaks callbacks, answers, files or forms (FUZZ="--minutes 10 --seed 7")
	@env -u TEST_DATABASE_URL $(BIN)/python -m tools.fuzz $(FUZZ)

bench: $(VENV)/.installed-dev ## Measure dispatch, latency and limits on an idle machine (LONG=1: longer)
	@LONG="$(LONG)" $(BIN)/python -m benchmarks

docs: $(VENV)/.installed-dev ## Write what the handbook has from the code: states, reasons, settings, rights, sentences
	@$(BIN)/python -m tools.docs

screenshots: $(VENV)/.installed-dev ## Take the pictures of README and docs from a demo, in both languages
	@$(BIN)/python -m tools.screenshots

# A separate environment, because no other target needs this tool.
MUTANTS_VENV := .venv-mutants
mutants: ## Insert small faults into the code and list those that no test detects (MUTANTS="claims retry --seed 7")
	@$(MAKE) VENV=$(MUTANTS_VENV) $(MUTANTS_VENV)/.installed-mutants
	@nice -n 10 $(MUTANTS_VENV)/bin/python -m tools.mutants $(MUTANTS)

guards: $(VENV)/.installed-dev ## Take away one guard of money, privacy or sign-in after the other, and say which test notices (GUARDS="approvals caps")
	@nice -n 10 $(BIN)/python -m tools.mutants.guards $(GUARDS)

CHECKS := format lint types imports migrations translations docs registries audit

check: ## Run all checks: format, lint, types, imports, migrations, translations, handbook, registries, audit
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

check-docs: $(VENV)/.installed-dev
	@$(BIN)/python -m tools.docs --check

# No file may contain the address of a package registry.
check-registries:
	@! git grep --untracked -nIE '$(REGISTRIES)'

# Skipped with one line where the list of vulnerabilities cannot be reached.
check-audit: $(VENV)/.installed-dev
	@$(BIN)/python -m tools.audit

format: $(VENV)/.installed-dev ## Format the code and apply the linter's fixes
	@$(BIN)/ruff check --fix . || true
	@$(BIN)/ruff format .

messages: $(VENV)/.installed-dev ## Collect texts for translation into locale/ (needs GNU gettext)
	@$(BIN)/python -m tools.translations

lock: ## Upgrade all versions and write all lock files (needs uv; review the diff)
	@$(COMPILE) --upgrade -o requirements.lock
	@$(COMPILE) --upgrade --extra sentry -o requirements-sentry.lock
	@$(COMPILE) --upgrade --extra dev --extra sentry -o requirements-dev.lock
	@$(COMPILE) --upgrade --extra dev --extra sentry --extra mutants -o requirements-mutants.lock

clean: ## Remove the virtual environments and all caches, but no data
	@rm -rf $(VENV) $(NEXT_VENV) $(MUTANTS_VENV) .mutants .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis .coverage .coverage.* htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find locale -name '*.mo' -delete

# --- installing ------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is required; name one with PYTHON=…"; exit 1; }
	@echo "Creating a virtual environment in $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.lock | $(BIN)/python
	@echo "Installing the portal's requirements"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock requirements.lock | $(BIN)/python
	@echo "Installing the requirements of the portal and its tests"
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
