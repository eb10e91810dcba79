"""Remove the second factors of a person who has nobody above them, such as an administrator."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from smsportal.sign_in.factor_reset import factor_summary, reset_factors


class Command(BaseCommand):
    help = "Removes the second factors of a person and ends their sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *_args: Any, username: str, **_options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no person with the username {username}.")
        had = factor_summary(person)
        reset_factors(person, by=None)
        self.stdout.write(f"Removed from {username}: {had}. All sessions have ended.")
