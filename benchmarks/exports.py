"""The time and memory needed to export a long list of messages.

python -m benchmarks.exports [rows]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from . import portal

ROWS = 1_000_000
KILOBYTES = 1024
"""Of a megabyte."""


def main() -> None:
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    portal.begin(f"Exporting {rows:,} messages", LOG_LEVEL="ERROR")
    from . import pages_rows

    pages_rows.fill_messages(rows)
    for kind in ("csv", "xlsx"):
        job = _asked(kind)
        # Other processes, so that their memory is that of a worker and of a download.
        for act in ("write", "read"):
            code = f"from benchmarks import exports; exports.{act}({job}, {kind!r})"
            subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
    portal.close()


def _asked(kind: str) -> int:
    from django.contrib.auth.models import User

    from core.admin.export_jobs.ask import admin_of, ask
    from core.admin.exports import Format
    from smsportal import urls  # noqa: F401 - registers the lists

    admin = admin_of("messaging.message")
    assert admin is not None
    assert admin.list_export is not None
    person = User.objects.get(username="boss")
    job = ask(admin, admin.list_export, person, "period=all", Format(kind), [])
    return int(job.pk)


def write(job_id: int, kind: str) -> None:
    """Write the file in slices, as a worker does that has nothing else to do."""
    import django

    django.setup()
    from core.admin.export_jobs import slices
    from core.models import ExportJob

    lengths = []
    more = True
    while more:
        began = time.perf_counter()
        more = _write_slice(slices)
        lengths.append(time.perf_counter() - began)
    job = ExportJob.objects.get(pk=job_id)
    print(
        f"  {kind:4}: {job.state}, {job.rows:,} rows in {sum(lengths):.0f} s"
        f" ({time.process_time():.0f} s of CPU), {len(lengths)} slices, the longest"
        f" {max(lengths):.1f} s, {job.stored / KILOBYTES**2:.0f} MB stored, {_most():.0f} MB at the"
        " most",
        flush=True,
    )


def _write_slice(slices: object) -> bool:
    from django_q.models import OrmQ

    # Asking queues a task, and a slice ends after one part while tasks are waiting.
    OrmQ.objects.all().delete()
    return bool(slices.write_slice())  # type: ignore[attr-defined]


def read(job_id: int, kind: str) -> None:
    import django

    django.setup()
    from core.admin.export_jobs import stored_file
    from core.models import ExportJob

    job = ExportJob.objects.get(pk=job_id)
    began = time.perf_counter()
    size = sum(map(len, stored_file.content_of(job)))
    print(
        f"  {kind:4}: download of {size / KILOBYTES**2:.0f} MB in"
        f" {time.perf_counter() - began:.0f} s ({time.process_time():.0f} s of CPU),"
        f" {_most():.0f} MB at the most",
        flush=True,
    )


def _most() -> float:
    """The most megabytes of this process. `getrusage` would count those of its parent, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / KILOBYTES


if __name__ == "__main__":
    main()
