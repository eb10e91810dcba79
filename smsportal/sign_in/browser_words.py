"""A browser in words, from the line by which it introduces itself.

That line is long, full of names of other browsers, and whatever its sender likes, so only known
names are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.stored_texts import Value, declare

BROWSERS: Final = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
"""The first that occurs: Edge calls itself Chrome as well, and Chrome calls itself Safari."""
SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
ON: Final = declare("browser.on", _("%(browser)s on %(system)s"))
ALONE: Final = declare("browser.alone", _("%(browser)s on an unknown system"))
UNKNOWN: Final = declare("browser.unknown", pgettext_lazy("browser", "Unknown browser"))


@dataclass(frozen=True)
class Browser:
    name: str
    system: str

    def stored(self) -> Value:
        """As a value of a stored text."""
        if not self.name:
            return {"key": UNKNOWN.key}
        if not self.system:
            return {"key": ALONE.key, "browser": self.name}
        return {"key": ON.key, "browser": self.name, "system": self.system}

    def __str__(self) -> str:
        if not self.name:
            return str(UNKNOWN)
        values = {"browser": self.name, "system": self.system}
        return str(ON if self.system else ALONE) % values


def browser_of(user_agent: str) -> Browser:
    return Browser(_first(BROWSERS, user_agent), _first(SYSTEMS, user_agent))


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((shown for part, shown in names if part in text), "")
