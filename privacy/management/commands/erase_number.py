"""`manage.py erase_number +8613912345678 --reason …`"""

from __future__ import annotations

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.phones.parse import PhoneError
from core.stored_texts import from_staff
from privacy import erase, slices
from privacy.presentation.proof import proof_of
from privacy.states import ErasureState


class Command(BaseCommand):
    help = "Erase a phone number wherever the portal keeps it, and prove that it is gone."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("number", help="With + and the country code.")
        parser.add_argument("--reason", required=True)
        parser.add_argument(
            "--also-from-list", action="store_true", help="Also its do-not-send entry."
        )

    def handle(self, *args: object, **options: Any) -> None:
        try:
            number = erase.number_from(options["number"])
            reason = from_staff(options["reason"])
            erasure = erase.ask(number, reason, None, takes_off_list=options["also_from_list"])
        except PhoneError:
            raise CommandError("This is no phone number. Nothing was erased.") from None
        except erase.CannotErase as cannot:
            raise CommandError(str(cannot)) from None
        while slices.run_slice(only=erasure.pk):
            time.sleep(0)
        erasure.refresh_from_db()
        for line in proof_of(erasure):
            if line.erased or line.left:
                self.stdout.write(f"{line.title}: {line.erased} erased, {line.left} left")
            if line.kept:
                self.stdout.write(f"{line.title}: {line.kept} kept on purpose")
        if erasure.state == ErasureState.DONE:
            self.stdout.write("Done: a search of all tables found the number nowhere.")
        else:
            self.stdout.write(
                "Not finished: something is under way, or another process works on it. The portal"
                " continues automatically."
            )
