"""Import contracts that import-linter lacks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """`source` may import itself, the standard library, and the modules in `allowed`.

    import-linter's own contracts list forbidden modules, so they would miss a module that is added
    later.
    """

    source: Any = fields.StringField()
    allowed: Any = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        wrong = [
            f"{importer} -> {imported}"
            for importer in sorted({self.source} | graph.find_descendants(self.source))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._is_allowed(imported)
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["wrong"]:
            output.print_error(line)

    def _is_allowed(self, imported: str) -> bool:
        known = (self.source, *(self.allowed or ()))
        if any(imported == name or imported.startswith(f"{name}.") for name in known):
            return True
        return imported.partition(".")[0] in sys.stdlib_module_names


class NoCirclesContract(Contract):
    """Forbids import circles among the modules of `packages`.

    Imports under `TYPE_CHECKING` and inside functions count, too. The report lists the imports of
    each circle.
    """

    packages: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        imports = {
            name: graph.find_modules_directly_imported_by(name)
            for package in self.packages
            for name in (package, *graph.find_descendants(package))
        }
        circles = [
            [
                f"{importer} -> {imported}"
                for importer in circle
                for imported in sorted(imports[importer] & set(circle))
            ]
            for circle in find_circles(imports)
        ]
        return ContractCheck(kept=not circles, metadata={"circles": circles})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for circle in check.metadata["circles"]:
            output.print_error("A circle:")
            for line in circle:
                output.print_error(f"    {line}")


def find_circles(imports: Mapping[str, Set[str]]) -> list[list[str]]:
    """The modules of each circle, sorted.

    Circles that share a module count as one (a strongly connected component).
    """
    reached = {module: _reached_from(module, imports) for module in imports}
    circles = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    return sorted(list(circle) for circle in circles if len(circle) > 1)


def _reached_from(start: str, imports: Mapping[str, Set[str]]) -> set[str]:
    """All direct and indirect imports of `start`. It is among them only if in a circle."""
    found: set[str] = set()
    pending = [start]
    while pending:
        for imported in imports[pending.pop()]:
            if imported in imports and imported not in found:
                found.add(imported)
                pending.append(imported)
    return found
