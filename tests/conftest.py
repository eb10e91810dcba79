"""Fixtures and hooks of all tests. tests/settings.py has settings, pyproject.toml has options."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from django.utils.translation import trans_real
from pytest_django import DjangoDbBlocker

from core.admin.export_slots import lock_folder
from providers import clock
from providers.hold import fence, fence_files
from smsportal.startup.compile_translations import compile_catalogues
from tests.support import db_cleanup, db_clone
from tests.support.history import month_of_history, written_month

__all__ = ["month_of_history", "written_month"]

# No deadline per example, because a slow machine is not a failure.
hypothesis.settings.register_profile("portal", deadline=None, print_blob=True)
hypothesis.settings.load_profile("portal")

SLOWEST_FIRST: Final = (
    "canary/",
    "smsportal/test_portal.py",
    "benchmarks/",
    "providers/engine/test_cluster.py",
    "browser/test_every_page.py",
    "browser/",
)
"""The longest tests start first, so that none of them runs alone at the end."""
DATABASE_FIXTURES: Final = {"db", "transactional_db", "live_server"}
DESELECTED: Final = pytest.StashKey[int]()
SLOW_TIMEOUT: Final = 900
"""Seconds for a test marked `slow` or `long`. pyproject.toml sets the timeout of the others."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tiers")
    group.addoption(
        "--tier",
        choices=("quick", "rest", "all"),
        default="all",
        help="quick: tests not marked `slow`. rest: the others. all (default): both.",
    )
    group.addoption("--long", action="store_true", help="Also run tests marked `long`.")
    group.addoption(
        "--second-database",
        action="store_true",
        help="Skip the tests that use no database, because they run with the first database."
        " Tests in a browser and those marked `any_database` run with --long only.",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Not in the workers of a parallel run, which would compile the same files at once.
    if not hasattr(config, "workerinput") and compile_catalogues():
        # Django has read the former ones.
        found: Any = trans_real
        found._translations.clear()
        found._default = None


def pytest_collection_finish() -> None:
    """Exclude long-lived objects from garbage collection, which took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


# --- selection and order of tests ------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select and sort tests. Runs after pytest-randomly, so equal ranks stay shuffled."""
    items.sort(key=_rank)
    deselected = [item for item in items if not _is_selected(item, config)]
    items[:] = [item for item in items if _is_selected(item, config)]
    for item in items:
        _extend_timeout(item)
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        config.stash[DESELECTED] = len(deselected)
        # Workers of a parallel run do not report deselected tests to the main process.
        getattr(config, "workeroutput", {})["deselected"] = len(deselected)


def _is_selected(item: pytest.Item, config: pytest.Config) -> bool:
    if item.get_closest_marker("long") and not config.getoption("--long"):
        return False
    is_second = config.getoption("--second-database")
    if is_second and not _touches_database(item):
        return False
    if is_second and _is_alike_on_both(item) and not config.getoption("--long"):
        return False
    return config.getoption("--tier") in ("all", "rest" if _is_slow(item) else "quick")


def _is_alike_on_both(item: pytest.Item) -> bool:
    """Whether the second database would hardly show anything new."""
    in_browser = item.path.is_relative_to(Path(__file__).parent / "browser")
    return in_browser or item.get_closest_marker("any_database") is not None


def _is_slow(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("slow", "long"))


def _extend_timeout(item: pytest.Item) -> None:
    if _is_slow(item) and not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT))


def _rank(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    ranks = (rank for rank, start in enumerate(SLOWEST_FIRST) if path.startswith(start))
    return next(ranks, len(SLOWEST_FIRST) if _touches_database(item) else len(SLOWEST_FIRST) + 1)


def _touches_database(item: pytest.Item) -> bool:
    """Whether a test depends on the database.

    Tests whose child processes use the database are marked `each_database`. pytest-django denies
    a connection to any other test that does not request one.
    """
    marked = any(item.get_closest_marker(name) for name in ("django_db", "each_database"))
    return marked or not DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[DESELECTED] = getattr(node, "workeroutput", {}).get("deselected", 0)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Succeed if this tier or database has none of the chosen tests."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.stash.get(DESELECTED, 0):
        session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if deselected := terminalreporter.config.stash.get(DESELECTED, 0):
        terminalreporter.write_line(
            f"{deselected} tests deselected (see --tier, --second-database)."
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Drop the output of passed tests, which workers would send although it is not shown."""
    report = yield
    if report.passed:
        report.sections.clear()
    return report


# --- setup and teardown ----------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Give each worker of a parallel run a copy of a migrated database.

    Without workers, pytest-django creates the database.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        request.getfixturevalue("django_db_setup")
    with ExitStack() as copies:
        with django_db_blocker.unblock():
            if worker is not None:
                copies.enter_context(db_clone.own_copy(worker))
            db_cleanup.record_baseline()
        db_cleanup.install()
        yield
        with django_db_blocker.unblock():
            copies.close()
            if worker is None:
                db_clone.end_other_sessions(str(connection.settings_dict["NAME"]))


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Clear the cache around each test, because it outlives the test's transaction."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def no_fence() -> None:
    """Forget the counters of other tests, or each new database would look restored."""
    fence.forget()
    for folder in fence_files.folders().values():
        (folder / fence_files.NAME).unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def no_exports() -> None:
    """Forget the exports of other tests, whose responses nobody closed."""
    for lock in lock_folder().glob("*.lock"):
        lock.unlink()


@pytest.fixture(autouse=True)
def clock_without_readings() -> None:
    """Forget the clocks of other tests, which may have travelled."""
    clock.restore(None, None)


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Reset the language, which a request in Chinese would leave to the next test."""
    translation.activate("en")
    yield
    translation.deactivate()
