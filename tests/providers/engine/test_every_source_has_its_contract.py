"""Every work source has the contract tests that keep the promise."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import tests
from providers.engine.claims import ClaimedRowSource
from providers.engine.work_source import sources
from tests.support.work_source_contract import (
    NeverRepeatedContract,
    RepeatableContract,
)

TESTS = Path(tests.__file__).parent
MODULES = sorted(TESTS.rglob("test_source_contract.py"))


def covered_by(contract: Any) -> set[tuple[object, object]]:
    return {
        (test_class.source_class, test_class.job_class) for test_class in contract.__subclasses__()
    }


def test_every_registered_source_has_contract_tests_for_each_job() -> None:
    for module in MODULES:
        dotted = module.relative_to(TESTS.parent).with_suffix("").as_posix().replace("/", ".")
        importlib.import_module(dotted)
    registered = set()
    for source in sources():
        assert isinstance(source, ClaimedRowSource), source.name
        registered |= {(type(source), rows.job) for rows in source.rows}
    assert registered == covered_by(NeverRepeatedContract) | covered_by(RepeatableContract)
