"""Set up a run, let it continue, and report. The exit code is 1 after any violation."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import portal
from ..report import machine

if TYPE_CHECKING:
    from .past import Past
    from .run import Soak

ENVIRONMENT = {
    # One person does everything.
    "DAILY_CODES": "10000000",
    "DAILY_ORDERS": "10000000",
    "DAILY_MESSAGES": "10000000",
    "CODES_PER_PREFIX": "1000000",
    "CODE_BURST": "1000000",
}
MOST_SHOWN = 40
SOON = 1.0
"""Seconds until a provider reports."""


def main() -> int:
    options = _arguments()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="smsportal-soak-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # PostgreSQL runs as another user, who has to reach its data.
        folder.chmod(0o711)
        return _run_in(options, folder, stack)


def _run_in(options: argparse.Namespace, folder: Path, stack: ExitStack) -> int:
    from .stores import open_store, small_disk

    data = folder / "data"
    has_small_disk = stack.enter_context(small_disk(data))
    store = stack.enter_context(open_store(options.database, data))
    if store is None:
        print("No PostgreSQL was found, so nothing ran.", flush=True)
        return 1 if os.environ.get("CI") else 0
    options.hosts = options.hosts or (1 if options.database == "sqlite" else 2)
    own = data if options.database == "sqlite" else folder / "driver"
    own.mkdir(exist_ok=True)
    portal.set_up(**ENVIRONMENT, DATABASE_URL=store.url, DATA_DIR=str(own))
    stack.callback(portal.close)
    print(
        f"Soak: {options.minutes:g} minutes, {options.rate:g} forms a second, {options.hosts}"
        f" host(s), {store.name}, seed {options.seed}. {machine()}",
        flush=True,
    )
    with _world(options, folder, store, has_small_disk) as soak:
        past = _run(options, soak)
        return _report(options, soak, past)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=3.0, help="forms a second (default: 3)")
    parser.add_argument("--seed", type=int, help="repeats the plan of faults")
    parser.add_argument("--hosts", type=int, help="SQLite: 1, PostgreSQL: 2, unless named")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", metavar="FAULT", nargs="+", help="strike with these only")
    parser.add_argument("--without", metavar="FAULT", nargs="+", default=[])
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--keep-logs", type=Path, help="copy the hosts' logs to this folder")
    options = parser.parse_args()
    if options.database == "sqlite" and (options.hosts or 1) != 1:
        parser.error("SQLite serves one host")
    return options


@contextmanager
def _world(
    options: argparse.Namespace, folder: Path, store: Any, has_small_disk: bool
) -> Iterator[Soak]:
    from django.contrib.auth.models import User

    from ..chaos import accounts
    from ..clusters import sandbox_process
    from .portal_host import PortalHost
    from .run import Soak
    from .world import World, build_clock_library

    hosts = []
    for number in range(1, options.hosts + 1):
        data = store.folder if options.database == "sqlite" else folder / f"host{number}"
        data.mkdir(exist_ok=True)
        hosts.append(PortalHost(f"host{number}", folder, data))
    library = build_clock_library(folder)
    if library and "clock" in _wanted(options):
        for host in hosts:
            host.preload_clock(library)
    with sandbox_process(min(accounts.DELAYS["haorui"])) as (remote, url):
        accounts.set_up_providers(remote, sms_delay=3.0, lifetime=90.0)
        made = accounts.make_accounts(remote, url.removesuffix("/haorui"))
        by = User.objects.create_superuser("soak")
        world = World(hosts, store, remote, has_small_disk, library, time.sleep)
        try:
            yield Soak(world, made, by, seed=options.seed, rate=options.rate)
        finally:
            for host in hosts:
                host.kill()
            if options.keep_logs:
                options.keep_logs.mkdir(parents=True, exist_ok=True)
                for host in hosts:
                    shutil.copy(host.log, options.keep_logs)


def _run(options: argparse.Namespace, soak: Soak) -> Past | None:
    from .faults import plan
    from .restore import Restore
    from .run import Staged

    faults = _faults(options, soak)
    _switch_reports_on(soak)
    if not soak.start():
        raise SystemExit("The portal did not start.")
    print(f"  {time.time() - soak.started_at:7.1f} s  the hosts are up", flush=True)
    restore = Restore(soak, random.Random(f"restore {options.seed}"))
    stages = []
    if "restore" in _wanted(options):
        if reason := restore.missing():
            print(f"  restore skipped: {reason}", flush=True)
        else:
            stages = [
                Staged("backup", 0.3, restore.back_up),
                Staged("restore", 0.5, restore.put_back),
            ]
    soak.run(time.monotonic() + 60 * options.minutes, plan(options.seed, faults), stages)
    soak.settle()
    for host in soak.world.hosts:
        host.kill()
    return restore.past


def _wanted(options: argparse.Namespace) -> list[str]:
    from .faults import FAULTS

    names = [*(fault.name for fault in FAULTS), "restore"]
    unknown = {*(options.only or ()), *options.without} - set(names)
    if unknown:
        raise SystemExit(f"There is no fault {', '.join(sorted(unknown))}: {', '.join(names)}.")
    return [one for one in names if one in (options.only or names) and one not in options.without]


def _faults(options: argparse.Namespace, soak: Soak) -> list[Any]:
    from .faults import FAULTS

    found = []
    for fault in FAULTS:
        if fault.name in _wanted(options):
            if reason := fault.missing(soak.world):
                print(f"  without the fault {fault.name}: {reason}", flush=True)
            else:
                found.append(fault)
    return found


def _switch_reports_on(soak: Soak) -> None:
    from providers.accounts import callback_url

    remote = soak.world.remote
    # The delay that chaos uses is a fault, too, and would keep others from striking.
    remote.clear_faults()
    for provider in ("haorui", "otpservice"):
        remote.change_settings(provider, report_delay=SOON)
    for number, account in enumerate(soak.accounts.otpservice):
        address = callback_url(account)
        assert address is not None
        path = address.reveal().split("/", 3)[3]
        host = soak.world.hosts[number % len(soak.world.hosts)]
        remote.change_account("otpservice", account.name, callback_url=f"http://{host.bind}/{path}")


def _report(options: argparse.Namespace, soak: Soak, past: Past | None) -> int:
    from . import checks

    problems, found = checks.violations(soak, past), checks.figures(soak, past)
    for name, value in found.items():
        print(f"  {name}: {value}")
    for problem in problems[:MOST_SHOWN]:
        print(f"  VIOLATED: {problem}")
    if len(problems) > MOST_SHOWN:
        print(f"  and {len(problems) - MOST_SHOWN} more")
    print("The promise was broken." if problems else "Nothing was done twice, nothing is lost.")
    if options.json:
        run = {key: str(value) for key, value in vars(options).items()}
        record = {"options": run, **found, "faults_struck": [vars(one) for one in soak.struck]}
        record["memory_by_the_minute"] = soak.memory.longest()
        options.json.write_text(
            json.dumps({**record, "violations": problems}, indent=2) + "\n", encoding="utf-8"
        )
    return 1 if problems else 0


if __name__ == "__main__":
    # SIGTERM must end every process, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
