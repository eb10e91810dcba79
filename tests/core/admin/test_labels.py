"""Labels of states: every app's, as they are registered."""

from __future__ import annotations

import pytest

from core.admin import labels
from smsportal.urls import urlpatterns

assert urlpatterns, "Loading the pages registers the states of each."


@pytest.mark.parametrize("kind", sorted(labels._registry))
def test_every_state_explains_itself(kind: str) -> None:
    silent = [value for value, label in labels.states_of(kind).items() if not str(label.help)]
    assert not silent
