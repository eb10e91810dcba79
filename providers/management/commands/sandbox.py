"""`manage.py sandbox`: run the four sandbox providers on one address until stopped."""

from __future__ import annotations

import argparse
import os
import signal
import threading

from django.core.management.base import BaseCommand, CommandError

from sandbox.server import Sandbox

REPORTING = ("haorui", "otpservice")


class Command(BaseCommand):
    help = (
        "Run the practice providers: they answer like the real ones, but nothing reaches a phone "
        "and nothing costs money. Stops on Ctrl-C."
    )
    # It needs no database and must start before the portal is fully configured.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
        parser.add_argument("--port", type=int, default=8801, help="Port; 0 takes a free one.")
        parser.add_argument(
            "--sms-delay",
            type=float,
            metavar="SECONDS",
            help="Seconds until a rented number gets its SMS.",
        )
        parser.add_argument(
            "--report-delay",
            type=float,
            metavar="SECONDS",
            help="Seconds until a delivery report is pushed.",
        )
        parser.add_argument(
            "--otp-callback",
            metavar="URL",
            default=os.environ.get("SANDBOX_OTP_CALLBACK", ""),
            help=(
                "Where the OTP Service pushes its callbacks, as its customers tell it by hand."
                " Better given in SANDBOX_OTP_CALLBACK, because the address holds a secret."
            ),
        )

    def handle(self, *args: object, **options: object) -> None:
        sandbox = Sandbox(str(options["host"]), int(str(options["port"])))
        if options["sms_delay"] is not None:
            sandbox.change_settings("gosms", sms_delay=options["sms_delay"])
        if options["report_delay"] is not None:
            for provider in REPORTING:
                sandbox.change_settings(provider, report_delay=options["report_delay"])
        if options["otp_callback"]:
            sandbox.change_account("otpservice", callback_url=options["otp_callback"])
        stop_requested = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop_requested.set())
        try:
            sandbox.start()
        except OSError as error:
            raise CommandError(f"Cannot listen there: {error.strerror}.") from None
        try:
            if options["verbosity"]:
                self._print_addresses(sandbox)
            stop_requested.wait()
        finally:
            sandbox.stop()

    def _print_addresses(self, sandbox: Sandbox) -> None:
        self.stdout.write(f"Practice providers, with addresses and what signs in, on {sandbox.url}")
        for provider in sandbox.providers.values():
            account = provider.default_account()
            login = " / ".join(filter(None, (account.login, account.secret)))
            self.stdout.write(f"  {provider.label}: {sandbox.base_url(provider.name)}  {login}")
        self.stdout.flush()
