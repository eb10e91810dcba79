"""Rules of the layout that no import contract can state."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
PRODUCT: Final = (
    "alerts",
    "audit",
    "benchmarks",
    "core",
    "figures",
    "lookup",
    "privacy",
    "messaging",
    "otp",
    "providers",
    "rentals",
    "sandbox",
    "smsportal",
    "tools",
)
MAX_LINES: Final = 300
VAGUE: Final = {"base_utils", "common", "helper", "helpers", "misc", "util", "utils"}
NOUNS: Final = {"importing", "masking", "messaging", "outgoing", "parsing", "pruning", "watching"}
"""Words in -ing that name a thing, or are no gerund."""


def product_modules() -> list[Path]:
    found = [path for name in PRODUCT for path in (ROOT / name).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def test_product_modules_have_at_most_300_lines() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in product_modules()}
    assert {str(path): count for path, count in lines.items() if count > MAX_LINES} == {}


def test_no_module_has_a_vague_name() -> None:
    assert [str(path) for path in product_modules() if path.stem in VAGUE] == []


def test_no_module_is_named_by_a_lone_gerund() -> None:
    names = {name for path in product_modules() for name in (path.stem, path.parent.name)}
    gerunds = {name for name in names if name.endswith("ing") and "_" not in name}
    assert gerunds - NOUNS == set()


def test_times_of_rows_come_from_the_shared_clock() -> None:
    """A host's own clock may be wrong. `RowTimeField` and `clock.now()` use the database's."""
    apps = tuple(
        str(ROOT / name)
        for name in (
            "alerts",
            "audit",
            "figures",
            "lookup",
            "messaging",
            "otp",
            "privacy",
            "providers",
            "rentals",
        )
    )
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in product_modules()
        if str(path).startswith(apps) and path != ROOT / "providers" / "clock.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if "timezone.now" in line
    ]
    # Stored with its time.
    default = "next_try_at = models.DateTimeField(null=True, default=timezone.now)"
    assert found == [f"providers/models/callback.py: {default}"]
