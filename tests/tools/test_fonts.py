"""The fonts that are cut down to what the portal shows hold what the portal shows."""

from __future__ import annotations

import ast
import re
from typing import Any

import polib
import pytest
from fontTools.ttLib import TTFont

from tools import fonts

AGAIN = "Run `python -m tools.fonts`."


def letters_of(name: str) -> set[int]:
    return set(TTFont(fonts.OUR_FONTS / "inter" / name).getBestCmap())


def icons_of(folder: Any) -> dict[str, str]:
    return fonts.glyphs_of_icons(TTFont(folder / fonts.ICONS))


def test_each_icon_that_is_shown_is_in_the_font() -> None:
    all_icons = set(icons_of(fonts.THEIR_FONTS))
    shown = fonts.shown_icons() & all_icons
    # The last two are the choices of one element.
    several = {"check_box", "check_box_outline_blank"}
    assert {"send", "check_small", "done_all", "filter_list"} | several <= shown
    assert shown <= set(icons_of(fonts.OUR_FONTS)), AGAIN


def test_an_icon_has_the_drawing_of_the_theme() -> None:
    theirs, ours = (TTFont(folder / fonts.ICONS) for folder in (fonts.THEIR_FONTS, fonts.OUR_FONTS))
    for name in ("send", "check_small", "hourglass_disabled"):
        drawn = [font.getGlyphSet()[fonts.glyphs_of_icons(font)[name]] for font in (theirs, ours)]
        assert drawn[0].width == drawn[1].width
        assert (
            len(
                {
                    str(font["glyf"][one.name].coordinates)
                    for font, one in zip((theirs, ours), drawn, strict=True)
                }
            )
            == 1
        )


@pytest.mark.parametrize(
    ("module", "meant"),
    [
        ('Button(label, url, "send")', {"send"}),
        ('Banner(text, icon="sms")', {"sms"}),
        ('icon: str = "warning"', {"warning"}),
        ('primary_page = ("permission", label, "page", "add")', {"add"}),
        ('{"send": 1}; find("sms")', set()),
    ],
)
def test_which_strings_are_meant_as_icons(module: str, meant: set[str]) -> None:
    assert set(fonts._meant_as_icons(ast.parse(module))) == meant


@pytest.mark.parametrize("name", fonts.WEIGHTS)
def test_english_pages_need_the_small_file_only(name: str) -> None:
    whole = set(TTFont(fonts.THEIR_FONTS / f"inter/Inter-{name}.woff2").getBestCmap())
    catalogue = polib.pofile(str(fonts.BASE / "locale/zh_Hans/LC_MESSAGES/django.po"))
    needed = {ord(letter) for entry in catalogue for letter in entry.msgid + entry.msgid_plural}
    needed &= whole
    assert ord("…") in needed
    assert needed - {0x0A} <= letters_of(f"Inter-{name}-basic.woff2"), AGAIN


def test_the_styles_name_files_that_exist() -> None:
    styles = (fonts.OUR_FONTS / "inter/styles.css").read_text(encoding="utf-8")
    files = re.findall(r"url\(([^)]+)\)", styles)
    assert len(files) == 2 * len(fonts.WEIGHTS)
    for file in files:
        folder = fonts.OUR_FONTS if "basic" in file else fonts.THEIR_FONTS
        assert (folder / "inter" / file).is_file()


def test_licences_are_beside_the_fonts() -> None:
    for folder in ("inter", "material-symbols"):
        theirs = (fonts.THEIR_FONTS / folder / "LICENSE").read_bytes()
        assert (fonts.OUR_FONTS / folder / "LICENSE").read_bytes() == theirs


def test_fonts_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in fonts.OUR_FONTS.rglob("*.woff2")}
    assert len(sizes) == 5
    assert max(sizes.values()) < 30_000
