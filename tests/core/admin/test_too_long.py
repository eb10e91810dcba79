"""No field cuts in silence what is typed or pasted."""

from __future__ import annotations

from pathlib import Path

from django import forms
from django.conf import settings

from core.admin.too_long import length_attributes, length_problem


class NameForm(forms.Form):
    name = forms.CharField(max_length=3)


def test_no_field_of_a_form_lets_the_browser_cut() -> None:
    assert "maxlength" not in NameForm().as_p()
    assert "name" in NameForm({"name": "four"}).errors


def test_no_template_lets_the_browser_cut() -> None:
    templates = Path(settings.BASE_DIR, "templates").rglob("*.html")
    assert [one.name for one in templates if " maxlength=" in one.read_text()] == []


def test_field_of_a_template_brings_the_words_for_the_script() -> None:
    assert length_attributes(1600) == (
        'data-longest="1600" data-too-long="This may have at most 1600 characters;'
        ' it has {length}. Shorten it."'
    )


def test_text_that_fits_has_no_problem() -> None:
    assert length_problem("abc", 3) == ""
    assert length_problem("abcd", 3).startswith("This may have at most 3 characters; it has 4.")
