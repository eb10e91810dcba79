"""The inputs of `make mutants` and `make guards` are valid: parts, guards, and equivalents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tools.mutants import equivalents
from tools.mutants.equivalents import Change, change_of, listed_equivalents
from tools.mutants.guards import Guard, all_guards
from tools.mutants.parts import ROOT, Part, all_parts, chosen_parts

CODE = "def double(number):\n    return number * 2\n"


@pytest.fixture
def equivalents_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a list of equivalents that a test writes."""
    path = tmp_path / "mutants.md"
    monkeypatch.setattr(equivalents, "LIST", path)
    return path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(equivalents, "ROOT", tmp_path)
    (tmp_path / "code.py").write_text(CODE)
    return "code.py"


@pytest.mark.parametrize("part", all_parts().values(), ids=lambda part: part.name)
def test_modules_and_tests_of_a_part_exist(part: Part) -> None:
    paths = [*part.modules, *(test.split("::")[0] for test in part.tests)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("guard", all_guards(), ids=lambda guard: guard.what)
def test_listed_guard_stands_once_in_its_module_and_has_tests(guard: Guard) -> None:
    text = guard.mutated_text()
    if guard.module.endswith(".py"):
        compile(text, guard.module, "exec")
    assert [test for test in guard.tests if not (ROOT / test.split("::")[0]).exists()] == []


def test_guard_that_is_gone_is_said() -> None:
    guard = replace(all_guards()[0], old="not there")
    with pytest.raises(ValueError, match="stands there 0 times"):
        guard.mutated_text()


def test_listed_equivalents_match_their_modules() -> None:
    for change in listed_equivalents():
        text = (ROOT / change.module).read_text()
        lines = {line.strip() for line in text.splitlines()}
        assert {line[1:] for line in change.lines if line.startswith("-")} <= lines, change
        name = change.function.split(".")[-1]
        assert not name or f"def {name}(" in text or f"class {name}" in text, change


def test_seed_applies_to_samples_only() -> None:
    drawn = {part.name: part for part in chosen_parts([], seed=7)}
    for name, part in all_parts().items():
        assert drawn[name].seed == (0 if part.sample is None else 7)


def test_printed_survivor_with_a_reason_becomes_an_equivalent(
    equivalents_file: Path, module: str
) -> None:
    change = change_of(module, CODE.replace("2", "3"))
    assert change == Change(module, "double", ("-return number * 2", "+return number * 3"))
    equivalents_file.write_text(f"# List\n\n{change}\nNobody calls it.\n")
    assert listed_equivalents() == {change}


def test_two_changes_may_share_a_reason(equivalents_file: Path, module: str) -> None:
    first, second = (change_of(module, CODE.replace("2", digit)) for digit in "34")
    diff = "```diff\n" + "\n".join(second.lines) + "\n```\n"
    equivalents_file.write_text(f"{first}\n{diff}\nNobody calls it.\n")
    assert listed_equivalents() == {first, second}


def test_survivor_without_a_reason_is_rejected(equivalents_file: Path, module: str) -> None:
    equivalents_file.write_text(str(change_of(module, CODE.replace("2", "3"))))
    with pytest.raises(ValueError, match="no reason"):
        listed_equivalents()
