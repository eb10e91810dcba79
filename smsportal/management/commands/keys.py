"""`manage.py keys`: the keys that this database knows, and the acceptance of lost ones."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core import key_checks
from core.models import KeyCheck
from providers.engine import heartbeats
from smsportal.configuration.environment import source_of
from smsportal.startup import key_acceptance
from smsportal.startup.key_comparison import find_misfits


class Command(BaseCommand):
    help = (
        "List the check values of the keys, here and in the database. With --accept, make this"
        " host's keys those of the database after keys were lost or changed."
    )
    # The checks include the comparison that this command is there to settle.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--accept",
            action="store_true",
            help="Accept this host's keys. Says first what can no longer be read. The portal must"
            " be stopped on every host.",
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask; for scripts.")
        parser.add_argument("--reason", default="", help="Why; kept in the record of acts.")

    def handle(self, *args: object, **options: Any) -> None:
        if options["accept"]:
            self._accept(ask=not options["yes"], reason=options["reason"])
        else:
            self._list()

    def _list(self) -> None:
        since = {(row.name, row.digest): row.created_at for row in KeyCheck.objects.all()}
        here = key_checks.configured()
        here["SECRET_KEY"] += key_checks.fallbacks()
        for name, digests in here.items():
            words = ("signs", "verifies") if name == "SECRET_KEY" else ("encrypts", "decrypts")
            self.stdout.write(f"{name}, from {source_of(name)}:")
            for number, digest in enumerate(digests):
                at = since.pop((name, digest), None)
                part = words[min(number, 1)] if len(digests) > 1 else "here"
                self._line(digest, part, f"known since {_day(at)}" if at else "not known")
            for (other, digest), at in list(since.items()):
                if other == name:
                    self._line(digest, "missing", f"known since {_day(at)}")
        for misfit in find_misfits():
            self.stdout.write(f"\n{misfit}")

    def _line(self, digest: str, part: str, known: str) -> None:
        self.stdout.write(f"  {key_checks.short(digest)}  {part:<8}  {known}")

    def _accept(self, *, ask: bool, reason: str) -> None:
        if key_checks.known() == {n: set(found) for n, found in key_checks.configured().items()}:
            self.stdout.write("The database knows exactly these keys. There is nothing to accept.")
            return
        if heartbeats.living_loops():
            raise CommandError(
                "The portal is running. Stop it on every host first, and wait 15 seconds: hosts"
                " with other keys would drop each other's tasks."
            )
        self._say_cost(key_acceptance.count_cost())
        if ask and input("Accept these keys? Type yes: ").strip().lower() != "yes":
            raise CommandError("Nothing was changed.")
        cost = key_acceptance.accept(reason)
        self.stdout.write(
            f"Accepted. {cost.tasks.total()} tasks were dropped. Start the portal on every host"
            " with these keys."
        )

    def _say_cost(self, cost: key_acceptance.Cost) -> None:
        self.stdout.write("With the keys of this host:")
        for kind, found in cost.values.items():
            self.stdout.write(f"  {found.unreadable} of {found.total} stored {kind} are unreadable")
        self.stdout.write(
            f"  {cost.tasks.total()} waiting tasks cannot be verified and are dropped"
        )
        for function, count in sorted(cost.tasks.items()):
            self.stdout.write(f"    {count} {function}")
        self.stdout.write(
            "Loops of the engine, callbacks and batches start their tasks again by themselves."
            " With another SECRET_KEY, staff must sign in again. Unreadable credentials must be"
            " entered again."
        )


def _day(at: Any) -> str:
    return timezone.localtime(at).date().isoformat()
