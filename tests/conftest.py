"""What every test can rely on. Settings stand in tests/settings.py, options in pyproject.toml."""

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
from django.utils import translation
from pytest_django import DjangoDbBlocker

from smsportal.compile_translations import compile_catalogues
from tests.support import db_cleanup, db_clone

# A slow machine is no failure: no example has a time limit.
hypothesis.settings.register_profile("portal", deadline=None, print_blob=True)
hypothesis.settings.load_profile("portal")

SLOWEST_FIRST: Final = (
    "test_canary.py",
    "smsportal/test_portal.py",
    "benchmarks/",
    "providers/engine/test_cluster.py",
    "browser/test_every_page.py",
    "browser/",
)
"""The longest start first, so that none of them runs alone at the end."""
DATABASE_FIXTURES: Final = {"db", "transactional_db", "live_server"}
LEFT_OUT: Final = pytest.StashKey[int]()
SLOW_TIMEOUT: Final = 900
"""Seconds for a test marked `slow` or `long`; pyproject.toml has the timeout of the others."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tiers")
    group.addoption(
        "--tier",
        choices=("quick", "rest", "all"),
        default="all",
        help="quick: what is not marked `slow`. rest: what quick leaves out. all (default): both.",
    )
    group.addoption("--long", action="store_true", help="Run tests marked `long`, too.")
    group.addoption(
        "--second-database",
        action="store_true",
        help="Leave out the tests that touch no database: they ran beside the first one."
        " Tests marked `any_database` count as slow here.",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Not in every worker of a parallel run: they would compile the same files at once.
    if not hasattr(config, "workerinput"):
        compile_catalogues()


def pytest_collection_finish() -> None:
    """A tenth of the time went into looking through what stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


# --- which tests, and in which order ---------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Runs after pytest-randomly, so tests of equal length stay shuffled."""
    items.sort(key=_place_in_line)
    left_out = [item for item in items if not _is_chosen(item, config)]
    items[:] = [item for item in items if _is_chosen(item, config)]
    for item in items:
        _give_slow_tests_time(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        config.stash[LEFT_OUT] = len(left_out)
        # Workers of a parallel run do not report deselected tests to the main process.
        getattr(config, "workeroutput", {})["left_out"] = len(left_out)


def _is_chosen(item: pytest.Item, config: pytest.Config) -> bool:
    if item.get_closest_marker("long") and not config.getoption("--long"):
        return False
    is_second = config.getoption("--second-database")
    if is_second and not _touches_database(item):
        return False
    waits = _is_slow(item) or (is_second and item.get_closest_marker("any_database") is not None)
    return config.getoption("--tier") in ("all", "rest" if waits else "quick")


def _is_slow(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("slow", "long"))


def _give_slow_tests_time(item: pytest.Item) -> None:
    if _is_slow(item) and not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT))


def _place_in_line(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    found = (place for place, start in enumerate(SLOWEST_FIRST) if path.startswith(start))
    return next(found, len(SLOWEST_FIRST) if _touches_database(item) else len(SLOWEST_FIRST) + 1)


def _touches_database(item: pytest.Item) -> bool:
    """Tests that start processes which use the database are marked `each_database`; any other
    test is refused a connection unless it asks for one."""
    marked = any(item.get_closest_marker(name) for name in ("django_db", "each_database"))
    return marked or not DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A choice of tests of which none belongs to this tier or database is no failure."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.stash.get(LEFT_OUT, 0):
        session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if left_out := terminalreporter.config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} tests left out (see --tier, --second-database).")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test that passed had logged or printed is shown to nobody, and a worker would
    send all of it along."""
    report = yield
    if report.passed:
        report.sections.clear()
    return report


# --- around each test ------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """A worker of a parallel run copies a database that is migrated; alone, pytest-django
    makes one."""
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


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """The cache outlives a test's transaction, so it is emptied around each test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A request in Chinese leaves its language to the thread, and so to the next test."""
    translation.activate("en")
    yield
    translation.deactivate()
