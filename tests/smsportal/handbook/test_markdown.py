"""Markdown becomes safe HTML whose anchors are those of GitHub."""

from __future__ import annotations

import pytest

from smsportal.handbook import markdown


def html(source: str) -> str:
    known = {"other.md": "/handbook/staff/other/", "../x.png": "/handbook/pictures/en/x/"}
    return markdown.render(source, lambda target: known.get(target))


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("Send an SMS", "send-an-sms"),
        ("Who sees what, and when?", "who-sees-what-and-when"),
        ("回调地址", "回调地址"),
        ("TLS 与代理", "tls-与代理"),
        ("`BIND` and more", "bind-and-more"),
    ],
)
def test_anchor_is_that_of_github(heading: str, slug: str) -> None:
    (found,) = markdown.headings_of(markdown.parse(f"# {heading}"))
    assert found.slug == slug


def test_same_heading_twice_has_two_anchors() -> None:
    found = markdown.headings_of(markdown.parse("# A\n\n## B\n\n## B\n"))
    assert [heading.slug for heading in found] == ["a", "b", "b-1"]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "text <img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](data:text/html;base64,AAAA)",
        "<!-- a --><script>x</script>",
    ],
)
def test_html_and_scripts_are_shown_as_text(hostile: str) -> None:
    made = html(f"# Title\n\n{hostile}\n")
    assert "<script" not in made
    assert "<img" not in made
    assert "href" not in made


def test_link_outside_the_handbook_is_only_words() -> None:
    made = html("# T\n\nSee [one](other.md) and [the code](../../x.py).\n")
    assert '<a href="/handbook/staff/other/">one</a>' in made
    assert "the code" in made
    assert made.count("<a ") == 1


def test_picture_is_served_by_the_portal_and_an_unknown_one_left_out() -> None:
    made = html("# T\n\n![known](../x.png)\n\n![unknown](../y.png)\n")
    assert 'src="/handbook/pictures/en/x/"' in made
    assert made.count("<img") == 1


def test_marks_of_made_tables_are_not_shown() -> None:
    made = html("# T\n\n<!-- made: states -->\n\n| a |\n| --- |\n| b |\n\n<!-- end -->\n")
    assert "made:" not in made
    assert "<td>b</td>" in made
