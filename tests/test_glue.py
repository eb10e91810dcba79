"""No text is joined from others by code or templates: `core.punctuation` knows each language's
marks and blanks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from smsportal.configuration.environment import BASE_DIR
from tools.product_apps import APPS

TEMPLATES: Final = sorted((BASE_DIR / "templates").rglob("*.html"))
FOR_THE_TERMINAL: Final = (
    "backup",
    "configuration",
    "management",
    "moves",
    "processes",
    "startup",
    "upgrade_check",
)
"""Folders of `smsportal` whose texts operators read, in English."""
SOURCES: Final = sorted(
    path
    for app in APPS
    for path in (BASE_DIR / app).rglob("*.py")
    if {"admin", "presentation", "templatetags"} & set(path.relative_to(BASE_DIR).parts)
    or path.name.endswith("_on_hold.py")
    or (app == "smsportal" and path.relative_to(BASE_DIR / app).parts[0] not in FOR_THE_TERMINAL)
)
WHOLE: Final = re.compile(
    r"\{% blocktranslate.*?%\}.*?\{% endblocktranslate %\}|\{#.*?#\}|<script.*?</script>", re.S
)
ATTRIBUTES: Final = re.compile(r"<[a-z][^<>]*>", re.S)
GLUED: Final = re.compile(
    r"(?:\}\}|%\})(?:</\w+>)?\s*[,;:(]|[(:,]\s*\{% (?:block)?translate|\)\s*\{%|\(<tag>"
)
COLON: Final = re.compile(
    r'translate "[^"]*:" [^%]*%\}(?:</span>)?(?: *“|\s*(?:\{\{|<tag>\{|\{% (?!end|if|el|for)))'
)
"""A text that ends in a colon, and goes on in the same line."""
SENTENCES: Final = re.compile(
    r"""translate "[^"]*[.!?]" %\}\s+\{[{%] ?(?!end|if|el|when|for|url|with)"""
)
MARKS: Final = re.compile(r"^(, |: | \(|; )$")
STORED: Final = {
    "core/admin/pages.py: ', '.join(permissions)",
    "smsportal/probes/middleware.py: ', '.join(READ_METHODS)",
    "smsportal/probes/readiness.py: ', '.join(missing[:5])",
    "smsportal/sign_in/checks.py: ', '.join(settings.IDENTITY_PROVIDER_GAPS)",
    "smsportal/sign_in/oidc/admission.py: ', '.join(sorted(missing))",
    "smsportal/middleware/browser_headers.py: ', '.join((f'{feature}=()' for feature in FEATURES))",
    "smsportal/web_server/request_intake.py: ', '.join(self.headers.get(name, ()))",
}
"""Not for staff: names of permissions, headers, and what operators read."""


def visible_parts(template: str) -> str:
    """The template without translated blocks, comments, scripts and the attributes of tags."""
    shown = WHOLE.sub("{{ whole }}", template)
    return ATTRIBUTES.sub("<tag>", shown)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_write_no_marks_between_texts(path: Path) -> None:
    shown = visible_parts(path.read_text(encoding="utf-8"))
    assert GLUED.findall(shown) == []
    assert COLON.findall(shown) == []
    assert SENTENCES.findall(shown) == []


def test_templates_with_marks_are_found() -> None:
    for glued in (
        '{% translate "Name" %}: {{ name }}',
        "{{ name }}, {{ time }}",
        '{{ count }} ({% translate "done" %})',
        '<b>{% translate "Name" %}</b>: x',
    ):
        assert GLUED.search(visible_parts(glued))
    assert COLON.search(visible_parts('{% translate "Text:" context "field" %} “{{ text }}”'))
    assert COLON.search(visible_parts('{% translate "Text:" %} <b>{{ text }}</b>'))
    assert not COLON.search(visible_parts('<p>{% translate "Choose one, then:" %}</p>'))
    assert SENTENCES.search(visible_parts('{% translate "One." %} {% translate "Two." %}'))


def is_mark(value: object) -> bool:
    return isinstance(value, str) and bool(MARKS.match(value))


def joins(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(mark)), attr="join")):
                if is_mark(mark):
                    yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(value=ast.Call() as text, attr="join")):
                if any(isinstance(arg, ast.Constant) and is_mark(arg.value) for arg in text.args):
                    yield ast.unparse(node)
            case ast.JoinedStr(values=parts):
                marks = [part.value for part in parts[1:] if isinstance(part, ast.Constant)]
                if isinstance(parts[0], ast.FormattedValue) and any(map(is_mark, marks)):
                    yield ast.unparse(node)


def test_code_joins_texts_with_the_marks_of_the_language_only() -> None:
    found = [
        f"{path.relative_to(BASE_DIR).as_posix()}: {glued}"
        for path in SOURCES
        for glued in joins(path.read_text(encoding="utf-8"))
    ]
    assert set(found) == STORED


def test_code_that_joins_texts_is_found() -> None:
    assert list(joins('", ".join(names)'))
    assert list(joins('pgettext("list", ", ").join(names)'))
    assert list(joins('f"{label}: {text}"'))
    assert not list(joins('f"{code}-{number}"'))
