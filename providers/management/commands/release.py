"""Decide from the command line about what is on hold, for when no manager is in.

Exit codes: 0, all that was asked for is done; 1, some of it was not; the output gives
the reason.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override

from core.admin.reasons import MAX_REASON_LENGTH
from core.times import full_time

from ...hold.decisions import Decision, Refused, UnknownGroup, decide, held_groups, open_hold
from ...hold.holdable import HeldGroup
from ...models import Hold


class Command(BaseCommand):
    help = (
        "Shows what is on hold, and sends it or ends it without sending. What was sent before is"
        " sent again and charged again. Exit code 1 if something that was asked for is not done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--list", action="store_true", help="show the groups, change nothing")
        what.add_argument("--all", action="store_true", help="decide about every group")
        what.add_argument(
            "--group",
            action="append",
            default=[],
            metavar="KEY",
            help="decide about this group of --list; may be repeated",
        )
        parser.add_argument(
            "--discard", action="store_true", help="do not send: end the rows without a call"
        )
        parser.add_argument("--reason", default="", help="why; kept with the decision; required")

    def handle(self, *_args: Any, **options: Any) -> None:
        # Reasons and titles go to the administrator, whatever the language of the portal.
        with override("en"):
            if options["list"]:
                self.show(open_hold())
            else:
                self.release(options)

    def show(self, hold: Hold | None) -> None:
        if hold is None:
            self.stdout.write("Nothing is on hold.")
            return
        cause = hold.get_cause_display()
        self.stdout.write(f"On hold since {full_time(hold.started_at)}: {cause}.")
        for group in held_groups(hold):
            self.stdout.write(_line(group))
            for fact in group.facts:
                self.stdout.write(f"    {fact}")

    def release(self, options: dict[str, Any]) -> None:
        reason = options["reason"].strip()
        if not reason or len(reason) > MAX_REASON_LENGTH:
            raise CommandError(f"--reason is required, at most {MAX_REASON_LENGTH} characters.")
        hold = open_hold()
        if hold is None:
            raise CommandError("Nothing is on hold.", returncode=1)
        send = not options["discard"]
        groups = self.chosen(hold, options)
        late = [group for group in groups if send and not group.may_send]
        decisions = [
            Decision(group.key, send, shown=group.undecided)
            for group in groups
            if group not in late
        ]
        try:
            done = decide(hold, decisions, by=None, reason=reason)
        except Refused as refusal:
            raise CommandError(f"Nothing was changed: {_why(refusal)}", returncode=1) from None
        for one in done:
            verb = "released" if one.send else "will not be sent"
            self.stdout.write(f"{one.group.key}: {one.count} {verb} ({one.group.title})")
        self.tell_rest(hold)
        if late:
            keys = ", ".join(group.key for group in late)
            raise CommandError(
                f"Cannot be sent any more: {keys}. End these with --discard.", returncode=1
            )

    def chosen(self, hold: Hold, options: dict[str, Any]) -> list[HeldGroup]:
        """The undecided groups that the options name. Raises `CommandError` for unknown ones."""
        known = {group.key: group for group in held_groups(hold)}
        unknown = [key for key in options["group"] if key not in known]
        if unknown:
            raise CommandError(f"No such group: {', '.join(unknown)}. See --list.", returncode=1)
        keys = known if options["all"] else dict.fromkeys(options["group"])
        return [known[key] for key in keys if known[key].undecided]

    def tell_rest(self, hold: Hold) -> None:
        hold.refresh_from_db()
        if hold.ended_at:
            self.stdout.write("Nothing is left to decide: the hold has ended.")
            return
        left = sum(group.undecided for group in held_groups(hold))
        self.stdout.write(f"Still on hold: {left}.")


def _why(refusal: Refused) -> str:
    if isinstance(refusal, UnknownGroup):
        return f"the group {refusal} is not on hold any more."
    return "what is on hold changed meanwhile. See --list."


def _line(group: HeldGroup) -> str:
    times = [full_time(moment) for moment in (group.oldest, group.newest) if moment]
    queued = f", queued {' to '.join(dict.fromkeys(times))}" if times else ""
    late = "" if group.may_send else ", cannot be sent any more"
    counts = f"{group.undecided} to decide, {group.settled} settled{queued}{late}"
    return f"{group.key}: {counts} ({group.title}; {group.account})"
