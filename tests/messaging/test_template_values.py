"""Variables of templates, and the order in which a person is offered them."""

from __future__ import annotations

import pytest

from messaging.models import Template
from messaging.template_values import fill, fill_known, offered_templates, record_use, variables_of
from tests.factories.staff import make_user


def test_each_name_is_asked_once_however_it_is_spelt() -> None:
    assert variables_of("Dear {Name}, {order no}: {NAME} {Order No}") == ["Name", "order no"]


def test_values_stand_in_their_places() -> None:
    text = "Dear {Name}, order {no}. {NAME}! \\{kept}"
    assert fill(text, {"Name": "Li", "no": "7"}) == "Dear Li, order 7. Li! {kept}"


@pytest.mark.parametrize("value", ["", "  ", "NULL", "1.39E+10"])
def test_text_without_a_real_value_is_not_filled(value: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        fill("Dear {Name}", {"Name": value})


def test_preview_keeps_the_places_without_values() -> None:
    assert fill_known("{Name}, order {no}", {"no": "7"}) == "{Name}, order 7"


@pytest.mark.django_db
def test_own_last_used_templates_come_first() -> None:
    me, colleague = make_user(), make_user()
    for name in "abcd":
        Template.objects.create(name=name, text=name, public_id=name)
    Template.objects.filter(name="b").update(in_use=False)
    record_use("d", me)
    record_use("c", me)
    record_use("a", colleague)
    assert [one.name for one in offered_templates(me)] == ["c", "d", "a"]
    record_use("d", me)
    assert [one.name for one in offered_templates(me)] == ["d", "c", "a"]
    assert [one.name for one in offered_templates(make_user())] == ["a", "c", "d"]


@pytest.mark.django_db
def test_use_of_a_missing_template_is_not_recorded() -> None:
    record_use("nothing", make_user())
    assert not Template.objects.exists()
