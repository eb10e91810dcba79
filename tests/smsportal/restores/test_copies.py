"""A copy of the middle is put back after the end: nothing is called twice until staff release it.

Everything is real: the host, its database, the commands and pages, and the providers over HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoDbBlocker

from messaging.models import Batch, Message
from otp.models import Attempt
from providers.hold.decisions import held_groups, open_hold
from providers.models import Hold
from rentals.models import Cancel, Order
from tests.smsportal.restores.copies import ON_SERVER, Copies, Way, new_database_name
from tests.smsportal.restores.scene import Scene, make_sandbox
from tests.smsportal.restores.site import Calls, Site
from tests.smsportal.restores.staff import Staff
from tests.support.wait_until import wait_until
from tests.upgrade import databases

pytestmark = [pytest.mark.slow, pytest.mark.each_database, pytest.mark.any_database]
on_sqlite = pytest.mark.skipif(ON_SERVER, reason="SQLite only")

REASON = "Looked at the provider's console."
NEW = "+8613512345678"
RESTORED = "the database was restored from a backup"
OLDER = "the database is older than what was done"


class Ended:
    """A scene that has ended, its copies, and a manager."""

    def __init__(self, scene: Scene, copies: Copies, manager: User, staff: Staff) -> None:
        self.scene = scene
        self.site = scene.site
        self.copies = copies
        self.manager = manager
        self.staff = staff

    def put_back(self, way: Way) -> tuple[Calls, Hold]:
        """Put a copy in the place of the end, and start. Returns the calls until then."""
        self.site.host.stop()
        self.copies.return_to_end()
        way(self.copies)
        before = self.site.calls()
        self.site.start()
        hold = open_hold()
        assert hold is not None, self.site.host.log()
        return before, hold

    def decide(self, hold: Hold, choices: dict[str, str]) -> None:
        """Decide about whole groups on the page, as they are shown."""
        shown = {group.key: group.undecided for group in held_groups(hold)}
        fields = {f"choice-{key}": choice for key, choice in choices.items()}
        fields |= {f"shown-{key}": str(shown[key]) for key in choices}
        self.staff.post(
            "/what-waits/", {"hold": hold.pk, "reason": REASON, "confirmed": "yes", **fields}
        )

    def release(self, *arguments: str) -> str:
        answer = self.site.host.manage("release", *arguments, "--reason", REASON)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout


@pytest.fixture(scope="module")
def ended(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Ended]:
    database = new_database_name()
    with make_sandbox() as sandbox, django_db_blocker.unblock():
        if database:
            databases.create(database)
        site = Site(tmp_path_factory.mktemp("restores"), sandbox, database)
        copies = Copies(site)
        try:
            site.start()
            with site.connected():
                yield _play(Scene(site), copies)
        finally:
            site.host.kill()
            copies.drop()
            if database:
                databases.drop(database)


def _play(scene: Scene, copies: Copies) -> Ended:
    manager = User.objects.create_superuser("manager")
    staff = Staff(scene.site.host, manager)
    scene.begin()
    with scene.site.frozen():
        scene.begin_rest()
        copies.take()
    scene.end()
    scene.begin_last()
    copies.take_young()
    wait_until(scene.has_ended)
    assert max(scene.site.calls().values()) == 1
    scene.site.host.stop()
    copies.keep_end()
    return Ended(scene, copies, manager, staff)


# --- what is decided ---------------------------------------------------------------------


def release_all(ended: Ended, hold: Hold) -> Calls:
    expected = total(ended.scene.held())
    assert "the hold has ended" in ended.release("--all")
    return expected


def release_a_choice(ended: Ended, hold: Hold) -> Calls:
    """The batch and the codes as a whole, two of the texts, and nothing else."""
    held = ended.scene.held()
    running = f"batch:{ended.scene.running.pk}"
    chosen = [running, *(key for key in held if key.startswith("codes:"))]
    texts = f"messages:{ended.scene.slow.pk}"
    rows = Message.objects.filter(hold=hold, state="held", kind="text", batch=None)[:2]
    ended.staff.post(
        f"/what-waits/rows/{texts}/",
        {
            "hold": hold.pk,
            "reason": REASON,
            "confirmed": "yes",
            f"choice-{texts}": "send",
            "by_row": "yes",
            "rows": [row.pk for row in rows],
        },
    )
    rest = {key: "discard" for key in held if key not in chosen}
    ended.decide(hold, rest | dict.fromkeys(chosen, "send"))
    two = Counter(row.recipient.removeprefix("+") for row in rows)
    return total({key: held[key] for key in chosen}) + two


def discard_all(ended: Ended, hold: Hold) -> Calls:
    waiting = Message.objects.filter(state__in=("held", "queued"))
    messages = list(waiting.values_list("pk", flat=True))
    orders = list(Order.objects.filter(state="held").values_list("pk", flat=True))
    ended.decide(hold, dict.fromkeys(ended.scene.held(), "discard"))
    wait_until(lambda: not waiting.filter(pk__in=messages).exists())
    ends = Message.objects.filter(pk__in=messages).values_list("state", flat=True)
    assert set(ends) == {"unknown"}
    assert set(Order.objects.filter(pk__in=orders).values_list("state", flat=True)) <= {"unknown"}
    assert Batch.objects.get(pk=ended.scene.scheduled.pk).state == "cancelled"
    return Counter()


def total(held: dict[str, Calls]) -> Calls:
    return sum(held.values(), Counter())


ON_SQLITE = [
    (Copies.by_command, release_all),
    (Copies.old_file, release_a_choice),
    (Copies.data_folder, discard_all),
]
ON_POSTGRESQL = [
    (Copies.by_command, release_all),
    (Copies.into_fresh_database, release_a_choice),
    (Copies.into_same_database, discard_all),
]
CASES = ON_POSTGRESQL if ON_SERVER else ON_SQLITE
Decide = Callable[[Ended, Hold], Calls]


@pytest.mark.parametrize(("way", "decide"), CASES, ids=lambda value: value.__name__)
def test_copy_of_the_middle_waits_for_a_decision(ended: Ended, way: Way, decide: Decide) -> None:
    before, hold = ended.put_back(way)
    check_quiet(ended, before)
    check_new_work(ended, before)
    check_what_becomes_known(ended, before)
    check_pages(ended, hold, RESTORED if way is Copies.by_command else OLDER)

    at_decision = ended.site.calls()
    expected = decide(ended, hold)
    ended.site.wait_for(at_decision, expected.total())
    ended.site.assert_quiet(at_decision + expected)
    assert ended.site.since(at_decision) == expected
    assert open_hold() is None
    assert "On hold since" not in ended.staff.read("/")


def check_quiet(ended: Ended, before: Calls) -> None:
    """Each kind of call waits or ended as unknown, and none was made."""
    ended.site.assert_quiet(before)
    kinds = {key.partition(":")[0] for key in ended.scene.held()}
    assert kinds == {"messages", "codes", "batch", "orders"}
    assert set(Attempt.objects.values_list("state", flat=True)) == {"unknown"}


def check_pages(ended: Ended, hold: Hold, cause: str) -> None:
    for path in ("/", "/messaging/message/", "/what-waits/"):
        page = ended.staff.read(path)
        assert "On hold since" in page
        assert cause in page
    held = ended.scene.held()
    groups = {group.key: group for group in held_groups(hold)}
    assert {key for key, group in groups.items() if group.undecided} == set(held)
    for key, calls in held.items():
        assert groups[key].undecided == calls.total(), key
        assert f"choice-{key}" in page
    assert "On hold: " in ended.site.host.log()


def check_new_work(ended: Ended, before: Calls) -> None:
    ended.staff.send_text(ended.scene.bulk.public_id, NEW)
    wait_until(lambda: ended.site.since(before).total())
    assert ended.site.since(before) == {NEW.removeprefix("+"): 1}


def check_what_becomes_known(ended: Ended, before: Calls) -> None:
    """Reports, polls and the provider's lists settle what waits, without a call."""
    text = Message.objects.filter(state="held", kind="text", batch=None).latest("pk")
    (sent, *_) = [
        entry
        for entry in ended.site.sandbox.book.entries("haorui", "send")
        if f"+{entry.fields['phonenumber']}" == text.recipient
    ]
    ended.site.sandbox.report("haorui", sent.message_id, "Delivered")
    wait_until(lambda: Message.objects.get(pk=text.pk).state == "delivered")
    wait_until(lambda: Order.objects.get(pk=ended.scene.cancelled.pk).state == "cancelled")
    assert set(Cancel.objects.values_list("state", flat=True)) == {"accepted"}
    taken = Order.objects.filter(project__in=("whatsapp", "google"))
    wait_until(lambda: set(taken.values_list("state", flat=True)) == {"pending"})
    assert ended.site.since(before) == {NEW.removeprefix("+"): 1}


@on_sqlite
def test_copy_of_the_last_second_waits_for_a_decision(ended: Ended) -> None:
    before, hold = ended.put_back(Copies.young_file)
    ended.site.assert_quiet(before)
    assert hold.cause == Hold.Cause.OLDER
    (text,) = Message.objects.filter(state="held")
    assert "1 will not be sent" in ended.release("--all", "--discard")
    ended.site.assert_quiet(before)
    assert Message.objects.get(pk=text.pk).state == "unknown"
    assert open_hold() is None
