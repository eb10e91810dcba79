"""A portal without pages, as a process: it decides at its start, then runs a loop of the engine.

    python -m tests.providers.hold.engine_process STOP_FILE SANDBOX_URL MESSAGES PER_SECOND

After its verdict it queues so many messages. It ends in order as soon as the stop file exists.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.core.management import call_command


def main(stop: Path, url: str, messages: int, per_second: int) -> None:
    django.setup()
    from providers.engine.loop import Loop
    from providers.hold import holdable, verdict
    from providers.models import Account
    from tests.factories.accounts import make_account
    from tests.factories.messages import make_message
    from tests.factories.staff import make_user
    from tests.support.held_messages import HoldMessages

    holdable._holdables.clear()
    holdable.register(HoldMessages())
    call_command("migrate", interactive=False, verbosity=0)
    decision = verdict.decide_at_start()
    sys.stdout.write(f"verdict {decision.verdict} {decision.cause or ''}".rstrip() + "\n")
    sys.stdout.flush()
    if messages:
        account = Account.objects.first() or make_account(
            base_url=url, per_second=per_second, per_minute=60 * per_second
        )
        user = make_user()
        for _ in range(messages):
            make_message(account, by=user)
    Loop(stop.exists).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
