"""The filler knows every model and state of the present code, so that a release can be dumped."""

from __future__ import annotations

import pytest
from django.apps import apps

from sandbox.server import Sandbox
from tests.upgrade.fill import fill, missing


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_every_model_gets_a_row_in_each_state() -> None:
    with Sandbox() as sandbox:
        fill(sandbox)
    assert list(missing(apps.get_models(include_auto_created=True))) == []
