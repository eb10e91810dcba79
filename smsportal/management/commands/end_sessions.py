"""End all sessions of a person who has nobody above them, or of everybody."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from smsportal.sign_in.session_ending import end_sessions_of


class Command(BaseCommand):
    help = "Ends all sessions of a person, or of everybody. They must sign in again."

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("username", nargs="?")
        chosen.add_argument("--everybody", action="store_true")

    def handle(self, *_args: Any, username: str | None, everybody: bool, **_options: Any) -> None:
        people = User.objects.order_by("pk")
        if not everybody:
            people = people.filter(username=username)
            if not people:
                raise CommandError(f"There is no person with the username {username}.")
        count = sum(end_sessions_of(person, by=None) for person in people)
        self.stdout.write(f"Sessions ended: {count}.")
