"""A kind of import contract: a package imports what is listed, and nothing else.

The contracts that import-linter has name what is forbidden; a module that is added
tomorrow would not be in such a list.
"""

from __future__ import annotations

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """`source` may import itself, the standard library, and the modules in `allowed`."""

    source: Any = fields.StringField()
    allowed: Any = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        wrong = [
            f"{importer} -> {imported}"
            for importer in sorted({self.source} | graph.find_descendants(self.source))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._may(imported)
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["wrong"]:
            output.print_error(line)

    def _may(self, imported: str) -> bool:
        known = (self.source, *(self.allowed or ()))
        if any(imported == name or imported.startswith(f"{name}.") for name in known):
            return True
        return imported.partition(".")[0] in sys.stdlib_module_names
