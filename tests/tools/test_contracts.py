"""Our own import contracts detect what they forbid, and name it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph
from importlinter import ContractCheck

from tools.contracts import NoCirclesContract, OnlyContract, find_circles

ROOT = Path(__file__).resolve().parents[2]


def graph_of(*imports: str) -> ImportGraph:
    """A graph of lines such as "app.models app.states": the first imports the second."""
    graph = ImportGraph()
    graph.add_module("app")
    for line in imports:
        importer, imported = line.split()
        graph.add_import(importer=importer, imported=imported)
    return graph


def check_circles(*imports: str) -> ContractCheck:
    contract = NoCirclesContract(
        name="no circles", session_options={}, contract_options={"packages": ["app"]}
    )
    return contract.check(graph_of(*imports), verbose=False)


def test_circle_of_three_is_reported_with_its_imports() -> None:
    check = check_circles("app.a app.b", "app.b app.c", "app.c app.a", "app.top app.a")
    assert not check.kept
    assert check.metadata["circles"] == [
        ["app.a -> app.b", "app.b -> app.c", "app.c -> app.a"],
    ]


def test_package_and_its_module_can_form_a_circle() -> None:
    assert not check_circles("app app.models", "app.models app").kept


def test_separate_circles_are_reported_separately() -> None:
    check = check_circles("app.a app.b", "app.b app.a", "app.b app.y", "app.y app.z", "app.z app.y")
    assert len(check.metadata["circles"]) == 2


def test_diamond_imports_are_not_a_circle() -> None:
    assert check_circles("app.a app.b", "app.a app.c", "app.b app.d", "app.c app.d").kept


def test_modules_of_other_packages_are_ignored() -> None:
    assert check_circles("other.a other.b", "other.b other.a", "app.a other.a").kept


def test_report_names_each_module_of_a_circle(capsys: pytest.CaptureFixture[str]) -> None:
    contract = NoCirclesContract(
        name="no circles", session_options={}, contract_options={"packages": ["app"]}
    )
    check = contract.check(graph_of("app.a app.b", "app.b app.a"), verbose=False)
    contract.render_broken_contract(check)
    output = capsys.readouterr().out
    assert "app.a -> app.b" in output
    assert "app.b -> app.a" in output


def test_long_import_chain_is_not_a_circle() -> None:
    chain = {f"m{n}": {f"m{n + 1}"} for n in range(400)} | {"m400": set()}
    assert find_circles(chain) == []
    assert find_circles({**chain, "m400": {"m0"}}) == [sorted(chain)]


@pytest.mark.parametrize(
    "import_back",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .first import A\n",
        "def later():\n    from . import first\n",
    ],
    ids=["for type checking", "inside a function"],
)
def test_project_settings_hide_no_import(tmp_path: Path, import_back: str) -> None:
    package = tmp_path / "circular"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "first.py").write_text("from . import second\n")
    (package / "second.py").write_text(import_back)
    settings = (ROOT / "pyproject.toml").read_text().split("[tool.importlinter]")[1]
    head = settings.split("[[tool.importlinter.contracts]]")[0]
    head = "\n".join(line for line in head.splitlines() if not line.startswith("root_packages"))
    config = tmp_path / "pyproject.toml"
    config.write_text(
        f'[tool.importlinter]\nroot_packages = ["circular"]\n{head}\n'
        '[[tool.importlinter.contracts]]\nname = "none"\ntype = "no_circles"\n'
        'packages = ["circular"]\n'
    )
    completed = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--config", config, "--no-cache"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        check=False,
    )
    assert completed.returncode == 1, completed.stderr
    assert "circular.first -> circular.second" in completed.stdout
    assert "circular.second -> circular.first" in completed.stdout


def test_only_allowed_imports_keep_the_contract() -> None:
    contract = OnlyContract(
        name="only",
        session_options={},
        contract_options={"source": "app", "allowed": ["core.money"]},
    )
    assert contract.check(graph_of("app.a core.money", "app.a json"), verbose=False).kept
    check = contract.check(graph_of("app.a core.admin", "app.a core.money_lines"), verbose=False)
    assert check.metadata["wrong"] == ["app.a -> core.admin", "app.a -> core.money_lines"]
