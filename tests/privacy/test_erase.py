"""An erased number is nowhere, and what was counted stays."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Sum
from django.test import Client
from django.utils import timezone

from core import personal_data
from core.models import Act, ExportJob, ExportPart, Notice, NumberSearch
from core.phones.candidates import meanings, written_numbers
from core.phones.digests import digest_of, matching
from core.phones.erased import is_erased
from core.phones.parse import PhoneError, parse_number
from core.phones.traces import Traces
from core.stored_texts import from_staff, show
from figures import roll_up
from figures.models import Figure
from messaging.models import DoNotSend, Message
from privacy import erase, legal_holds, remembered, restored, restored_texts, slices, tasks
from privacy.models import ErasedNumber, Erasure, LegalHold, RestoredSearch
from privacy.states import ErasureState
from providers.models import Callback
from rentals.models import Order, Transaction
from tests.factories.batches import make_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_staff
from tests.privacy.canary import DIGITS, GROUPED, NUMBER, OTHER, scatter
from tests.support.dumps import dump, has_digits

REASON = from_staff("the person asked")


def work_off(erasure: Erasure, most: int = 400) -> Erasure:
    """Run slices of one chunk each, as if each was killed after it."""
    for _ in range(most):
        if not slices.run_slice(0, only=erasure.pk):
            break
    erasure.refresh_from_db()
    return erasure


def test_every_column_of_text_is_registered_or_excused() -> None:
    assert list(personal_data.unregistered_columns()) == []


def money() -> dict[str, Any]:
    figures = Figure.objects.aggregate(Sum("count"), Sum("segments"), Sum("cost"))
    rows = Message.objects.aggregate(Count("pk"), Sum("segments"), Sum("price"))
    orders = Order.objects.aggregate(Count("pk"), Sum("price"))
    return {**figures, **rows, **orders, **Transaction.objects.aggregate(total=Sum("amount"))}


@pytest.mark.django_db(transaction=True)
def test_an_erased_number_is_in_no_dump_no_cache_no_file_and_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    manager = scatter()
    client = Client()
    client.force_login(manager)
    client.get("/search/", {"s": DIGITS})
    roll_up.bring_up_to_date()
    assert has_digits(dump(), DIGITS)
    before = money()

    erasure = work_off(erase.ask(NUMBER, REASON, manager, takes_off_list=True))

    assert erasure.state == ErasureState.DONE, erasure.found
    after = dump()
    for writing in (DIGITS, "139 8765 0321", "8765 0321"):
        assert not has_digits(after, writing), [x for x in after.split("\n") if writing in x]
    assert DIGITS not in caplog.text
    kept = [Path(settings.DATA_DIR), Path(settings.STATE_DIR)]
    for file in (file for folder in kept for file in folder.rglob("*") if file.is_file()):
        if "sqlite3" not in file.name:
            assert DIGITS.encode() not in file.read_bytes(), file
    roll_up.bring_up_to_date()
    assert money() == before
    assert before["price__sum"] is None or before["price__sum"] >= Decimal(0)
    assert {one["again"] for one in erasure.found.values() if "again" in one} <= {0}
    assert erasure.found["messaging.message"]["erased"] == 3


@pytest.mark.django_db
def test_an_erased_number_is_gone_from_what_is_encrypted_packed_or_hashed() -> None:
    """A dump does not show these, but whoever has the keys could read them."""
    manager = scatter()
    search = NumberSearch.objects.get()
    job = ExportJob.objects.get()
    assert DIGITS in str(job.query.reveal())

    work_off(erase.ask(NUMBER, REASON, manager, takes_off_list=True))

    assert not NumberSearch.objects.filter(pk=search.pk).exists()
    assert not ExportPart.objects.filter(job=job).exists()
    job.refresh_from_db()
    assert DIGITS not in str(job.query.reveal())
    erasure = Erasure.objects.get()
    assert not str(erasure.number.reveal() if erasure.number else "")


@pytest.mark.django_db
def test_rows_of_one_number_keep_one_stand_in_that_nothing_can_be_sent_to() -> None:
    manager = scatter()
    work_off(erase.ask(NUMBER, REASON, manager))

    gone = [one for one in Message.objects.all() if is_erased(one.recipient)]
    assert len({one.recipient for one in gone}) == 1
    assert {one.text for one in gone} == {""}
    assert gone[0].segments == 1
    with pytest.raises(PhoneError):
        parse_number(gone[0].recipient)
    other = Message.objects.get(recipient=OTHER)
    assert other.text == f"Call {gone[0].recipient} back"


@pytest.mark.django_db
def test_the_do_not_send_list_keeps_its_entry_unless_asked_otherwise() -> None:
    manager = scatter()
    work_off(erase.ask(NUMBER, REASON, manager))
    entry = DoNotSend.objects.get()
    assert (entry.number, entry.removed_at) == (NUMBER, None)
    assert DIGITS not in entry.because
    assert Erasure.objects.get().found["messaging.donotsend"]["kept"] == 1

    work_off(erase.ask(NUMBER, REASON, manager, takes_off_list=True))
    entry.refresh_from_db()
    assert is_erased(entry.number)
    assert entry.removed_at is not None


@pytest.mark.django_db
def test_a_number_with_something_under_way_is_refused_in_words() -> None:
    manager = scatter(at_work=True)
    with pytest.raises(erase.CannotErase, match=r"under way \(Messages: 1\)"):
        erase.ask(NUMBER, REASON, manager)
    assert not Erasure.objects.exists()


@pytest.mark.django_db
def test_what_came_under_way_is_left_until_it_has_ended() -> None:
    manager = scatter()
    erasure = erase.ask(NUMBER, REASON, manager)
    waiting = make_message(recipient=NUMBER, text="still to be sent")
    batch = make_batch(f"{DIGITS}\n")

    work_off(erasure)
    assert erasure.state == ErasureState.UNDER_WAY
    waiting.refresh_from_db()
    assert (waiting.recipient, waiting.text) == (NUMBER, "still to be sent")
    assert batch.parts.count() == 1
    assert erasure.found["messaging.message"]["left"] == 1

    Message.objects.filter(pk=waiting.pk).update(state="cancelled")
    type(batch).objects.filter(pk=batch.pk).update(state="cancelled")
    Erasure.objects.update(next_at=timezone.now())
    work_off(erasure)
    assert erasure.state == ErasureState.DONE
    waiting.refresh_from_db()
    assert is_erased(waiting.recipient)
    assert not batch.parts.exists()


@pytest.mark.django_db
def test_a_killed_slice_is_taken_up_by_another() -> None:
    erasure = erase.ask(NUMBER, REASON, scatter())
    for _ in range(5):
        slices.run_slice(0, only=erasure.pk)
    erasure.refresh_from_db()
    past = timezone.now() - timedelta(seconds=1)
    # As a killed slice leaves it.
    Erasure.objects.update(state="running", claim="gone", busy_until=past)
    reached = erasure.place

    slices.run_slice(0, only=erasure.pk)
    erasure.refresh_from_db()
    assert erasure.place != reached
    assert work_off(erasure).state == ErasureState.DONE


@pytest.mark.django_db
def test_two_slices_do_not_work_on_one_erasure() -> None:
    erasure = erase.ask(NUMBER, REASON, scatter())
    later = timezone.now() + timedelta(seconds=60)
    Erasure.objects.update(state="running", claim="other", busy_until=later)
    assert not slices.run_slice(0)
    erasure.refresh_from_db()
    assert (erasure.claim, erasure.place) == ("other", "")


@pytest.mark.django_db
def test_the_search_at_the_end_erases_what_came_meanwhile() -> None:
    erasure = erase.ask(NUMBER, REASON, scatter())
    while not erasure.is_search:
        assert slices.run_slice(0, only=erasure.pk)
        erasure.refresh_from_db()
    late = make_message(recipient=NUMBER, text="late", state="delivered")

    work_off(erasure)
    late.refresh_from_db()
    assert erasure.state == ErasureState.DONE
    assert erasure.round == 2
    assert is_erased(late.recipient)


@pytest.mark.django_db
def test_the_acts_name_the_number_by_a_hash_only() -> None:
    manager = scatter()
    work_off(erase.ask(NUMBER, from_staff(f"asked by {DIGITS}"), manager))
    acts = Act.objects.filter(what__in=("number.erase", "number.erased"))
    assert {act.what for act in acts} == {"number.erase", "number.erased"}
    assert not [act for act in acts if DIGITS in f"{act.subject}{act.reason}{act.details}"]
    erasure = Erasure.objects.get()
    assert not erasure.number
    assert DIGITS not in erasure.reason


@pytest.mark.django_db
def test_a_legal_hold_that_is_set_meanwhile_keeps_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not only from the next slice on."""
    manager = scatter()
    erasure = erase.ask(NUMBER, REASON, manager)
    looked = personal_data.Place.look

    def look(place: personal_data.Place, *args: Any, **values: Any) -> Any:
        legal_holds.set_hold(NUMBER, REASON, manager)
        return looked(place, *args, **values)

    monkeypatch.setattr(personal_data.Place, "look", look)
    before = Message.objects.filter(recipient=NUMBER).count()
    slices.run_slice(only=erasure.pk)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.STOPPED
    assert Message.objects.filter(recipient=NUMBER).count() == before > 0
    assert legal_holds.find_hold(NUMBER)


@pytest.mark.django_db
def test_a_legal_hold_keeps_everything_until_it_is_lifted() -> None:
    manager = scatter()
    hold = legal_holds.set_hold(NUMBER, REASON, manager)
    assert hold is not None
    with pytest.raises(erase.CannotErase, match="legal hold"):
        erase.ask(NUMBER, REASON, manager)

    assert legal_holds.lift(hold, REASON, manager)
    erasure = erase.ask(NUMBER, REASON, manager)
    assert legal_holds.set_hold(NUMBER, REASON, manager)
    slices.run_slice(0, only=erasure.pk)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.STOPPED
    assert Message.objects.filter(recipient=NUMBER).exists()


@pytest.mark.django_db
def test_a_restored_backup_is_erased_again(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    manager = make_staff("manager")
    make_message(recipient=NUMBER, state="delivered")
    work_off(erase.ask(NUMBER, REASON, manager))
    digests = set(ErasedNumber.objects.values_list("digest", flat=True))
    assert remembered.read() == digests
    assert restored.erase_again() == 0

    # As in a backup from before.
    ErasedNumber.objects.all().delete()
    Erasure.objects.all().delete()
    Message.objects.update(recipient=NUMBER, text="again here")
    assert restored.erase_again() == 1
    erasure = work_off(Erasure.objects.get())
    assert erasure.state == ErasureState.DONE
    assert not Message.objects.filter(recipient=NUMBER).exists()
    assert restored.erase_again() == 0


@pytest.mark.django_db
def test_a_restored_backup_keeps_what_a_legal_hold_keeps(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    make_message(recipient=NUMBER, state="delivered")
    legal_holds.set_hold(NUMBER, REASON, make_staff("manager"))
    remembered.write([digest_of(NUMBER)])
    assert restored.erase_again() == 0
    assert not Erasure.objects.exists()
    assert Message.objects.filter(recipient=NUMBER).exists()


@pytest.mark.django_db
def test_restored_number_is_erased_again_once_its_legal_hold_is_lifted(
    tmp_path: Path, settings: Any
) -> None:
    """Wherever it stands: the backup has it in rows, texts, calls, callbacks, files and acts."""
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    manager = scatter()
    hold = legal_holds.set_hold(NUMBER, REASON, manager)
    assert hold is not None
    remembered.write([digest_of(NUMBER)])
    before = Message.objects.filter(recipient=NUMBER).count()
    for _ in range(2):
        assert restored.erase_again() == 0
        tasks.go_on()
    assert not RestoredSearch.objects.exists()
    assert not Erasure.objects.exists()
    assert Message.objects.filter(recipient=NUMBER).count() == before > 0

    assert legal_holds.lift(hold, REASON, manager)
    tasks.go_on()
    assert work_off(Erasure.objects.get()).state == ErasureState.DONE
    assert not has_digits(dump(), DIGITS)
    tasks.go_on()
    assert Erasure.objects.count() == 1


@pytest.mark.django_db
def test_restored_number_whose_hold_came_meanwhile_is_erased_once_that_is_lifted(
    tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    manager = make_staff("manager")
    make_message(recipient=NUMBER, state="delivered")
    remembered.write([digest_of(NUMBER)])
    assert restored.erase_again() == 1
    hold = legal_holds.set_hold(NUMBER, REASON, manager)
    assert hold is not None
    assert work_off(Erasure.objects.get()).state == ErasureState.STOPPED
    assert legal_holds.lift(hold, REASON, manager)
    tasks.go_on()
    assert work_off(Erasure.objects.latest("pk")).state == ErasureState.DONE
    assert not Message.objects.filter(recipient=NUMBER).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("was_here", [True, False], ids=["erased again", "not in the backup"])
def test_what_comes_after_an_erasure_stays_when_a_hold_is_lifted(
    tmp_path: Path, settings: Any, was_here: bool
) -> None:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    manager = make_staff("manager")
    if was_here:
        make_message(recipient=NUMBER, state="delivered")
    remembered.write([digest_of(NUMBER)])
    assert restored.erase_again() == was_here
    for erasure in Erasure.objects.all():
        assert work_off(erasure).state == ErasureState.DONE
    make_message(recipient=NUMBER, state="delivered")
    hold = legal_holds.set_hold(NUMBER, REASON, manager)
    assert hold is not None
    assert legal_holds.lift(hold, REASON, manager)
    tasks.go_on()
    assert Message.objects.filter(recipient=NUMBER).exists()


@pytest.mark.django_db
def test_hold_set_while_texts_are_searched_delays_the_erasure_until_it_is_lifted(
    tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    remembered.write([digest_of(NUMBER)])
    message = make_message(recipient=OTHER, state="delivered", text=f"Ask {GROUPED} about it")
    assert restored.erase_again() == 0
    hold = legal_holds.set_hold(NUMBER, REASON, make_staff("manager"))
    assert hold is not None
    while restored_texts.run_slice(0):
        pass
    assert work_off(Erasure.objects.get()).state == ErasureState.STOPPED
    message.refresh_from_db()
    assert GROUPED in message.text
    assert legal_holds.lift(hold, REASON, None)
    tasks.go_on()
    while restored_texts.run_slice(0):
        pass
    assert work_off(Erasure.objects.latest("pk")).state == ErasureState.DONE
    assert not has_digits(dump(), DIGITS)


@pytest.mark.django_db
def test_texts_of_a_restored_backup_are_erased_again(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    remembered.write([digest_of(NUMBER), digest_of(OTHER)])
    # Only texts mention the one; the other is the number of a row, too.
    message = make_message(recipient=OTHER, state="delivered", text=f"Ask {GROUPED} about it")
    assert restored.erase_again() == 1
    assert RestoredSearch.objects.get().digests == [digest_of(NUMBER)]
    assert Erasure.objects.count() == 1
    while restored_texts.run_slice(0):
        pass
    assert RestoredSearch.objects.filter(ended_at=None).count() == 0
    for erasure in Erasure.objects.all():
        assert work_off(erasure).state == ErasureState.DONE
    message.refresh_from_db()
    assert not has_digits(dump(), DIGITS)
    assert set(ErasedNumber.objects.values_list("digest", flat=True)) == remembered.read()
    assert restored.erase_again() == 0
    assert RestoredSearch.objects.count() == 1


@pytest.mark.django_db
def test_search_of_a_restored_backup_reads_every_table_that_an_erasure_reads() -> None:
    """What an erasure finds in a table, the search finds there by its hash."""
    scatter()
    traces, missed = Traces(NUMBER), []
    for place in personal_data.places():
        if not place.searched or not place.look(traces, None, on_purpose=True).hits:
            continue
        texts, _last = place.read_texts(None)
        meant = {one for text in texts for each in written_numbers(text) for one in meanings(each)}
        in_text = any(traces.is_in(text) for text in texts)
        if in_text and not matching(meant, {digest_of(NUMBER)}):
            missed.append(place.key)
    assert missed == []


@pytest.mark.django_db
def test_lost_slice_of_the_search_is_queued_again(monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[str] = []
    monkeypatch.setattr(restored_texts, "async_task", lambda name, **_: queued.append(name))
    tasks.go_on()
    assert queued == []
    restored_texts.begin_search({digest_of(NUMBER)})
    tasks.go_on()
    assert queued == ["privacy.tasks.search_restored"] * 2
    tasks.search_restored()
    assert queued[2:] == []


@pytest.mark.django_db
def test_manager_is_told_once_how_an_erasure_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    manager, boss = make_staff("manager"), make_staff("manager")
    erasure = erase.ask(NUMBER, REASON, manager)

    def fail(*_: object) -> bool:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("privacy.slices._Slice.run", fail)
        for _ in range(2):
            Erasure.objects.update(next_at=timezone.now())
            slices.run_slice(0)
    assert told(manager) == ["has failed for now"]
    Erasure.objects.update(next_at=timezone.now())
    work_off(erasure)
    assert told(manager) == ["has failed for now", "A search of all tables"]
    assert DIGITS not in "".join(Notice.objects.values_list("text", flat=True))

    held = erase.ask(OTHER, REASON, manager)
    legal_holds.set_hold(OTHER, REASON, boss)
    slices.run_slice(0, only=held.pk)
    assert told(manager)[2:] == ["legal hold was set"]
    legal_holds.lift(LegalHold.objects.get(), REASON, boss)
    third = erase.ask(OTHER, REASON, manager)
    erase.stop(third, boss)
    assert told(manager)[3:] == ["stopped the erasure"]
    fourth = erase.ask(OTHER, REASON, manager)
    erase.stop(fourth, manager)
    assert len(told(manager)) == 4
    assert told(boss) == []


def told(person: User) -> list[str]:
    """Which of the known words each notice of this person has."""
    known = (
        "has failed for now",
        "A search of all tables",
        "legal hold was set",
        "stopped the erasure",
    )
    texts = [show(one.text) for one in Notice.objects.filter(user=person).order_by("pk")]
    return [word for text in texts for word in known if word in text]


@pytest.mark.django_db
def test_a_start_writes_the_files_that_a_host_lacks(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "state"
    ErasedNumber.objects.create(digest="a" * 64)
    restored.erase_again()
    assert remembered.read() == {"a" * 64}


@pytest.mark.django_db
def test_a_callback_that_comes_again_is_not_stored_again() -> None:
    scatter()
    erasure = Erasure.objects.first() or erase.ask(NUMBER, REASON, make_staff("manager"))
    work_off(erasure)
    callback = Callback.objects.get()
    assert callback.digest == "d1"
    assert DIGITS.encode() not in bytes(callback.body)
