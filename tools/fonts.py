"""Cut the theme's fonts down to what the portal shows.

python -m tools.fonts

Writes static/unfold/fonts/, which stands before the theme's folder of that name. Of the icons, only
those are left that templates, styles or strings name. Inter has the letters of Western languages;
for others, a browser fetches the theme's whole file. Chinese is left to the system's fonts.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

BASE: Final = Path(__file__).resolve().parent.parent
SPEC: Final = importlib.util.find_spec("unfold")
THEME: Final = Path((SPEC and SPEC.origin) or "").parent
THEIR_FONTS: Final = THEME / "static/unfold/fonts"
OUR_FONTS: Final = BASE / "static/unfold/fonts"
ICONS: Final = "material-symbols/Material-Symbols-Outlined.woff2"
APPS: Final = (
    "core",
    "providers",
    "messaging",
    "otp",
    "rentals",
    "alerts",
    "audit",
    "figures",
    "lookup",
    "privacy",
    "smsportal",
)
WEIGHTS: Final = {"Regular": 400, "Medium": 500, "SemiBold": 600, "Bold": 700}
BASIC: Final = (
    (0x20, 0x7E),
    (0xA0, 0xFF),
    (0x2000, 0x206F),
    (0x20A0, 0x20BF),
    (0x2100, 0x214F),
    (0x2190, 0x2199),
    (0x2200, 0x22FF),
    (0x2300, 0x23FF),
    (0x25A0, 0x25FF),
    (0x2700, 0x27BF),
)
"""Letters of Western languages, punctuation, currencies, arrows and mathematical signs."""
FEATURES: Final = ["calt", "ccmp", "kern", "locl", "mark", "mkmk", "tnum"]
"""What browsers apply by themselves, and digits of equal width."""

IN_TEMPLATE: Final = re.compile(r"material-symbols-outlined[^>]*>((?:{%.*?%}|[^<])*)<", re.DOTALL)
"""All that such an element holds, which may choose between several icons."""
TAG: Final = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
WORD: Final = re.compile(r"[a-z0-9_]+")
QUOTED: Final = re.compile(r"""["']([a-z0-9_]+)["']""")
IN_STYLE: Final = re.compile(r"""content:\s*"([a-z0-9_]+)\"""")


# --- icons ---------------------------------------------------------------------


def glyphs_of_icons(font: TTFont) -> dict[str, str]:
    """The glyph of each icon by its name, which the font replaces like a ligature."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found: dict[str, str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            rules = getattr(getattr(table, "ExtSubTable", table), "ligatures", {})
            for first, ligatures in rules.items():
                for one in ligatures:
                    parts = (first, *one.Component)
                    found["".join(letters[part] for part in parts)] = one.LigGlyph
    return found


def shown_icons() -> set[str]:
    """The names that our templates and styles show, and that our modules certainly mean as icons.

    They may hold words that are no icon.
    """
    found = _in_elements(_templates()) | _matches(_styles(), IN_STYLE)
    for path in _modules():
        found |= set(_meant_as_icons(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def possible_icons() -> set[str]:
    """All words that may be an icon's name, also in the theme and in other strings."""
    theirs = [*THEME.glob("templates/**/*.html"), *THEME.glob("contrib/f*/**/*.html")]
    scripts = [*BASE.glob("static/**/*.js"), *THEME.glob("static/**/*.js")]
    return (
        shown_icons()
        | _in_elements(theirs)
        | _matches([*_modules(), *_templates(), *scripts], QUOTED)
    )


def _meant_as_icons(tree: ast.Module) -> Iterator[str]:
    """Strings given to a class or to an argument `icon`, and those of a list's primary page."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name[:1].isupper() or name == "counted_item":
                yield from _strings(node.args)
            yield from _strings(one.value for one in node.keywords if one.arg == "icon")
        elif isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            names = {getattr(one, "id", "") for one in targets}
            if "icon" in names:
                yield from _strings([node.value])
            elif "primary_page" in names and isinstance(node.value, ast.Tuple):
                yield from _strings(node.value.elts[-1:])


def _strings(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _in_elements(paths: Iterable[Path]) -> set[str]:
    contents = _matches(paths, IN_TEMPLATE)
    return {word for content in contents for word in WORD.findall(TAG.sub(" ", content))}


def _matches(paths: Iterable[Path], pattern: re.Pattern[str]) -> set[str]:
    return {word for path in paths for word in pattern.findall(path.read_text(encoding="utf-8"))}


def _templates() -> list[Path]:
    return list(BASE.glob("templates/**/*.html"))


def _styles() -> list[Path]:
    theirs = THEME / "static/unfold/css/styles.css"
    return [*BASE.glob("static/**/*.css"), theirs]


def _modules() -> list[Path]:
    found = [path for app in APPS for path in (BASE / app).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


# --- files ---------------------------------------------------------------------


def cut_icons() -> None:
    font = TTFont(THEIR_FONTS / ICONS)
    glyphs = glyphs_of_icons(font)
    names = sorted(possible_icons() & set(glyphs))
    options = _options(["rlig"])
    # Otherwise each letter would keep all icons whose names it is a part of.
    options.layout_closure = False
    _save(font, options, ICONS, text="".join(names), glyphs=[glyphs[name] for name in names])


def cut_letters() -> None:
    rules = []
    for name, weight in WEIGHTS.items():
        font = TTFont(THEIR_FONTS / f"inter/Inter-{name}.woff2")
        codes = set(font.getBestCmap())
        basic = {code for code in codes if any(low <= code <= high for low, high in BASIC)}
        _save(font, _options(FEATURES), f"inter/Inter-{name}-basic.woff2", unicodes=sorted(basic))
        rules.append(_face(weight, f"Inter-{name}-basic.woff2", basic))
        rules.append(_face(weight, f"Inter-{name}.woff2", codes - basic))
    note = "/* Made by `python -m tools.fonts`. Files without `basic` are the theme's. */\n"
    (OUR_FONTS / "inter/styles.css").write_text(note + "".join(rules), encoding="utf-8")


def _options(features: list[str]) -> Options:
    options = Options()
    options.flavor = "woff2"
    options.layout_features = features
    options.notdef_outline = True
    return options


def _save(font: Any, options: Options, name: str, **kept: Any) -> None:
    subsetter = Subsetter(options)
    subsetter.populate(**kept)
    subsetter.subset(font)
    # The same input makes the same file.
    font.recalcTimestamp = False
    font.flavor = "woff2"
    packed = io.BytesIO()
    font.save(packed)
    path = OUR_FONTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed.getvalue())
    shutil.copyfile(THEIR_FONTS / path.parent.name / "LICENSE", path.parent / "LICENSE")


def _face(weight: int, file: str, codes: set[int]) -> str:
    return (
        f'@font-face {{ font-family: "Inter"; font-style: normal; font-weight: {weight};'
        f' font-display: swap; src: url({file}) format("woff2");'
        f" unicode-range: {_ranges(codes)}; }}\n"
    )


def _ranges(codes: set[int]) -> str:
    found: list[list[int]] = []
    for code in sorted(codes):
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return ", ".join(f"U+{low:X}" + (f"-{high:X}" if high > low else "") for low, high in found)


def main() -> None:
    cut_icons()
    cut_letters()
    for path in sorted(OUR_FONTS.rglob("*.woff2")):
        print(f"{path.relative_to(BASE)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
