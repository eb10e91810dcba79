"""State tables, and the moves of rows that they allow."""

from __future__ import annotations

from enum import StrEnum

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from core.states import ForbiddenMove, StateTable
from messaging.models import Message
from messaging.states import MESSAGE_STATES, MessageState
from tests.factories.messages import make_message
from tests.support.threads import at_once


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    BROKEN = "broken"


LIGHTS = StateTable(
    {
        Light.RED: frozenset({Light.GREEN, Light.BROKEN}),
        Light.GREEN: frozenset({Light.RED, Light.BROKEN}),
        Light.BROKEN: frozenset(),
    }
)


def test_sources_of_lists_the_states_that_lead_to_a_state() -> None:
    assert LIGHTS.sources_of(Light.BROKEN) == {Light.RED, Light.GREEN}


def test_state_without_successors_is_final() -> None:
    assert [state for state in Light if LIGHTS.is_final(state)] == [Light.BROKEN]


@pytest.mark.django_db
class TestMove:
    def test_row_in_an_allowed_state_moves_with_its_changes(self) -> None:
        message = make_message()
        moved = MESSAGE_STATES.move(
            Message.objects.filter(pk=message.pk), MessageState.CANCELLED, reason="why"
        )
        message.refresh_from_db()
        assert (moved, message.state, message.reason) == (1, "cancelled", "why")

    def test_row_in_another_state_does_not_change(self) -> None:
        message = make_message(state=MessageState.DELIVERED)
        moved = MESSAGE_STATES.move(
            Message.objects.filter(pk=message.pk), MessageState.CANCELLED, reason="why"
        )
        message.refresh_from_db()
        assert (moved, message.state, message.reason) == (0, "delivered", "")

    def test_sources_limit_the_move(self) -> None:
        message = make_message()
        moved = MESSAGE_STATES.move(
            Message.objects.filter(pk=message.pk),
            MessageState.CANCELLED,
            sources=(MessageState.HELD,),
        )
        assert moved == 0

    def test_forbidden_source_raises_and_moves_nothing(self) -> None:
        message = make_message()
        with pytest.raises(ForbiddenMove, match="delivered"):
            MESSAGE_STATES.move(
                Message.objects.filter(pk=message.pk),
                MessageState.CANCELLED,
                sources=(MessageState.QUEUED, MessageState.DELIVERED),
            )
        message.refresh_from_db()
        assert message.state == MessageState.QUEUED

    def test_target_without_sources_raises(self) -> None:
        with pytest.raises(ForbiddenMove):
            MESSAGE_STATES.move(Message.objects.all(), MessageState.SCHEDULED)

    def test_empty_sources_raise(self) -> None:
        with pytest.raises(ForbiddenMove):
            MESSAGE_STATES.move(Message.objects.all(), MessageState.CANCELLED, sources=())

    def test_move_is_one_conditional_update(self) -> None:
        message = make_message()
        with CaptureQueriesContext(connection) as queries:
            MESSAGE_STATES.move(Message.objects.filter(pk=message.pk), MessageState.CANCELLED)
        statements = [query["sql"] for query in queries if not query["sql"].startswith("SAVE")]
        assert len(statements) == 1
        assert statements[0].startswith("UPDATE")
        assert '"state" IN' in statements[0]


@pytest.mark.django_db
class TestSet:
    def test_row_moves_with_its_changes_in_database_and_memory(self) -> None:
        message = make_message()
        assert MESSAGE_STATES.set(message, MessageState.CANCELLED, reason="why")
        assert (message.state, message.reason) == ("cancelled", "why")
        message.refresh_from_db()
        assert (message.state, message.reason) == ("cancelled", "why")

    def test_other_rows_in_the_same_state_do_not_change(self) -> None:
        message, other = make_message(), make_message()
        assert MESSAGE_STATES.set(message, MessageState.CANCELLED, reason="why")
        other.refresh_from_db()
        assert (other.state, other.reason) == ("queued", "")

    def test_plain_changes_and_unsaved_fields_are_not_read_back(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        message = make_message(tries=1)
        message.words = "only in memory"
        with django_assert_num_queries(1):
            assert MESSAGE_STATES.set(message, MessageState.HELD, reason="why")
        assert MESSAGE_STATES.set(message, MessageState.QUEUED, tries=F("tries") + 1)
        assert (message.words, message.tries) == ("only in memory", 2)

    def test_row_moved_by_another_process_does_not_change(self) -> None:
        message = make_message()
        Message.objects.filter(pk=message.pk).update(state=MessageState.HELD)
        assert not MESSAGE_STATES.set(message, MessageState.CANCELLED, reason="why")
        assert (message.state, message.reason) == ("queued", "")
        message.refresh_from_db()
        assert (message.state, message.reason) == ("held", "")

    def test_forbidden_move_raises_and_moves_nothing(self) -> None:
        message = make_message(state=MessageState.DELIVERED)
        with pytest.raises(ForbiddenMove, match="delivered"):
            MESSAGE_STATES.set(message, MessageState.CANCELLED)
        message.refresh_from_db()
        assert message.state == MessageState.DELIVERED

    def test_value_computed_by_the_database_is_read_back(self) -> None:
        message = make_message(tries=1)
        assert MESSAGE_STATES.set(message, MessageState.CLAIMED, tries=F("tries") + 1)
        assert message.tries == 2

    def test_unchanged_fields_are_not_saved(self) -> None:
        message = make_message()
        message.reason = "only in memory"
        assert MESSAGE_STATES.set(message, MessageState.CANCELLED)
        message.refresh_from_db()
        assert message.reason == ""

    def test_set_is_one_conditional_update(self) -> None:
        message = make_message()
        with CaptureQueriesContext(connection) as queries:
            MESSAGE_STATES.set(message, MessageState.CANCELLED)
        statements = [query["sql"] for query in queries]
        assert len(statements) == 1
        assert statements[0].startswith("UPDATE")
        assert '"state" = ' in statements[0].split("WHERE")[1]


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_sets_succeeds() -> None:
    message = make_message()

    def set_state() -> bool:
        own = Message(pk=message.pk, state=MessageState.QUEUED)
        return MESSAGE_STATES.set(own, MessageState.CLAIMED)

    assert sorted(at_once(set_state, 8)) == [False] * 7 + [True]


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_moves_succeeds() -> None:
    message = make_message()

    def move() -> int:
        return MESSAGE_STATES.move(Message.objects.filter(pk=message.pk), MessageState.CLAIMED)

    assert sorted(at_once(move, 8)) == [0] * 7 + [1]
