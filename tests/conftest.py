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

from smsportal.catalogues import compile_catalogues
from tests import cloning, emptying

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
"""Whatever is long starts before all else, so that nothing long is left when the rest is done."""
DATABASE_FIXTURES: Final = {"db", "transactional_db", "live_server"}
LEFT_OUT: Final = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--only-with-database",
        action="store_true",
        help="Leave out what says the same on any database: tests that touch none, and those"
        " marked `any_database`. `make test` runs them once, on the first of its two.",
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
    """After they were shuffled, which stays so among those that are equally long."""
    items.sort(key=_place_in_line)
    if config.getoption("--only-with-database"):
        left_out = [item for item in items if not _database_matters(item)]
        items[:] = [item for item in items if _database_matters(item)]
        config.hook.pytest_deselected(items=left_out)
        # The workers of a parallel run would keep it to themselves.
        getattr(config, "workeroutput", {})["left_out"] = len(left_out)


def _place_in_line(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    found = (place for place, start in enumerate(SLOWEST_FIRST) if path.startswith(start))
    return next(found, len(SLOWEST_FIRST) if _database_matters(item) else len(SLOWEST_FIRST) + 1)


def _database_matters(item: pytest.Item) -> bool:
    """All others are refused a connection; what makes one in a process of its own is marked,
    and so is what only sees what the browser makes of a page, or processes say of their own."""
    if item.get_closest_marker("any_database"):
        return False
    marked = any(item.get_closest_marker(name) for name in ("django_db", "each_database"))
    return marked or not DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if left_out := terminalreporter.config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{left_out} tests that touch no database, or see only what none can change, were left"
            " out: they say the same on any."
        )


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
                copies.enter_context(cloning.own_copy(worker))
            emptying.remember()
        emptying.install()
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
