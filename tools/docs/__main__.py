"""Write what the handbook has from the code (`make docs`), or check it (`--check`).

In a page, a table stands between <!-- made: name --> and <!-- end -->.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
BLOCK: Final = re.compile(r"(<!-- made: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
LANGUAGES: Final = ("en", "zh-hans")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="report what differs; write nothing")
    only_check = parser.parse_args().check
    _set_up()
    found = list(_run(write=not only_check))
    print("\n".join(found) or "The handbook agrees with the code.")
    return 1 if found else 0


def _set_up() -> None:
    """Start Django without a database: only texts are read."""
    import django

    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "ENV_FILE": "",
            "DATA_DIR": folder,
            "STATE_DIR": folder,
            "SECRET_KEY": "-" * 50,
        }
        os.environ["DJANGO_SETTINGS_MODULE"] = "smsportal.settings"
        os.environ.pop("DATABASE_URL", None)
        django.setup()


def _run(*, write: bool) -> Iterator[str]:
    from smsportal.startup.compile_translations import compile_catalogues

    from . import check, cures, settings_table
    from .tables import blocks

    compile_catalogues()
    made = dict(blocks())
    used: set[str] = set()
    from django.utils.translation import override

    for language in LANGUAGES:
        with override(language):
            texts = {name: make() for name, make in made.items()}
        for path in sorted((ROOT / "docs" / language).rglob("*.md")):
            source = path.read_text(encoding="utf-8")
            used |= {match[2] for match in BLOCK.finditer(source)}
            filled, unknown = fill(source, texts)
            where = path.relative_to(ROOT)
            yield from (f"{where}: no table is called “{name}”" for name in unknown)
            if filled != source and write:
                path.write_text(filled, encoding="utf-8")
            elif filled != source:
                yield f"{where} differs from the code: run `make docs`"
    yield from (f"No page of the handbook has the table “{name}”" for name in set(made) - used)
    yield from cures.find_problems()
    yield from settings_table.find_problems()
    yield from check.find_problems()


def fill(source: str, texts: Mapping[str, str]) -> tuple[str, list[str]]:
    """The page with its tables, and the names of tables that do not exist."""
    unknown = [match[2] for match in BLOCK.finditer(source) if match[2] not in texts]
    filled = BLOCK.sub(lambda match: f"{match[1]}\n{texts.get(match[2], '')}\n\n{match[3]}", source)
    return filled, unknown


if __name__ == "__main__":
    sys.exit(main())
