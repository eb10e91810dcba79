"""The lists of apps and countries that can be rented."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from rentals.catalogue import fill_catalogue, known_remark
from rentals.models import Region
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _filled() -> None:
    Region.objects.all().delete()
    with override("zh-hans"):
        fill_catalogue()


def test_every_remark_of_the_document_is_translated() -> None:
    regions = Region.objects.exclude(remark="")
    assert regions.count() == 5
    for region in regions:
        assert known_remark(region) == region.remark
        with override("zh-hans"):
            words = known_remark(region)
        assert words
        assert not words.isascii()


def test_what_staff_wrote_is_not_translated() -> None:
    # "Time" is a word of the portal.
    region = Region(provider="gosms", code="ID", remark="Time")
    with override("zh-hans"):
        assert known_remark(region) is None
    assert known_remark(Region(provider="gone", code="ID", remark="low price")) is None


def test_the_list_shows_remarks_in_the_language_of_the_reader(client: Client) -> None:
    Region.objects.filter(code="US").update(remark="Time")
    client.force_login(make_staff("manager"))
    page = client.get(
        reverse("admin:rentals_region_changelist"), headers={"accept-language": "zh-hans"}
    ).content.decode()
    assert "价格低，号码充足" in page
    assert ">Time<" in page
