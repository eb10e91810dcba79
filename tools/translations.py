"""Collects the texts to translate (`make messages`), or checks that none is missing.

Needs GNU gettext. The check runs on a copy, so it changes no file.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib

from smsportal.startup.compile_translations import catalogues

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = "zh_Hans"
COLLECTED = Path("locale") / LANGUAGE / "LC_MESSAGES" / "django.po"
NOT_FOR_STAFF = ("tests", "tools", "benchmarks", "docs", "data")


def collect(folder: Path) -> None:
    """Update the catalogue in `folder` from the code in it."""
    (folder / "locale").mkdir(exist_ok=True)
    ignored = [f"--ignore={name}/*" for name in (*NOT_FOR_STAFF, ".venv")]
    command = [sys.executable, "-m", "django", "makemessages", f"--locale={LANGUAGE}"]
    options = ["--no-obsolete", "--no-wrap", "--add-location=file", *ignored]
    subprocess.run([*command, *options], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def find_problems() -> Iterator[str]:
    """Yield each reason why the translation is incomplete, in one line."""
    known: set[tuple[str, str]] = set()
    for path in catalogues(ROOT / "locale"):
        name = path.relative_to(ROOT)
        catalogue = polib.pofile(str(path))
        known |= {entry_key(entry) for entry in catalogue}
        empty, fuzzy = catalogue.untranslated_entries(), catalogue.fuzzy_entries()
        yield from (f"{name}: not translated: {entry.msgid!r}" for entry in empty)
        yield from (f"{name}: fuzzy: {entry.msgid!r}" for entry in fuzzy)
        yield from placeholder_errors(path)
    with tempfile.TemporaryDirectory() as folder:
        copy_sources(Path(folder))
        collect(Path(folder))
        for entry in polib.pofile(str(Path(folder) / COLLECTED)):
            if not entry.obsolete and entry_key(entry) not in known:
                where = ", ".join(file for file, _ in entry.occurrences)
                yield f"{where}: in no catalogue: {entry.msgid!r}"


def entry_key(entry: polib.POEntry) -> tuple[str, str]:
    return entry.msgctxt or "", entry.msgid


def placeholder_errors(path: Path) -> list[str]:
    command = ["msgfmt", "--check", "--output-file=/dev/null", str(path)]
    # msgfmt truncates lines within a multi-byte character.
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    return done.stderr.splitlines() if done.returncode else []


def copy_sources(target: Path) -> None:
    """Copy the tracked and new files, except those without texts for staff."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    for name in listing.splitlines():
        path = Path(name)
        if path.parts[0] in NOT_FOR_STAFF or path.suffix not in (".py", ".html", ".txt", ".po"):
            continue
        if (ROOT / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target / path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="report what is missing; write nothing"
    )
    arguments = parser.parse_args()
    if shutil.which("xgettext") is None:
        print("GNU gettext is required (Debian: gettext).")
        return 1
    if not arguments.check:
        collect(ROOT)
        return 0
    found = list(find_problems())
    print("\n".join(found) or "Every text is translated.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
