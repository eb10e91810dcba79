"""The keyboard shortcuts, from the dialog that lists them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from django.utils.translation import gettext

from .words import say, table

DIALOG: Final = Path(__file__).resolve().parent.parent.parent / "templates/portal/shortcuts.html"
LINE: Final = re.compile(r'<dt><kbd[^>]*>(.*?)</kbd></dt><dd>{% translate "(.*?)" %}</dd>')
OTHER_SYSTEM: Final = re.compile(r"{% if .*? %}(.*?){% else %}(.*?){% endif %}")


def make() -> str:
    rows = []
    for keys, meaning in LINE.findall(DIALOG.read_text(encoding="utf-8")):
        shown = OTHER_SYSTEM.sub(say("other system"), keys)
        rows.append((shown, gettext(meaning)))
    return table([say("keys"), say("does")], rows)
