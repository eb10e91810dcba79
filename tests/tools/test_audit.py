"""Vulnerable versions fail the check; a list that cannot be reached does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import audit

SAFE = {"name": "safe", "version": "1", "vulns": []}
VULNERABLE = {
    "name": "broken",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}],
}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found."}


def test_vulnerable_version_fails_the_check_and_names_the_fix(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit.report([SAFE, VULNERABLE, UNKNOWN]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "broken 2: PYSEC-1, fixed in 3",
        "2 of 3 versions were checked.",
    ]


def test_accepted_vulnerability_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {"PYSEC-1": "The portal does not use it."})
    assert audit.report([VULNERABLE]) == 0


@pytest.mark.parametrize("dependencies", [[], [UNKNOWN]])
def test_unreachable_list_is_skipped_with_one_line(
    dependencies: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.report(dependencies) == 0
    assert capsys.readouterr().out.startswith("Skipped: ")


def test_failure_of_the_tool_is_skipped_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert audit.main([str(tmp_path / "missing.lock")]) == 0
    assert capsys.readouterr().out.startswith("Skipped: ")
