"""The time and memory needed to import and check the recipients of a batch.

python -m benchmarks.batch_import [rows]
"""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import time

from . import portal

ROWS = 100_000
MEGABYTE = 1024


def main() -> None:
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    portal.begin(f"Reading {rows} recipients")
    account = portal.make_account("http://127.0.0.1:9", 4)
    for kind, content in (("CSV", csv_file(rows)), ("XLSX", xlsx_file(rows))):
        batch_id = _stored(account, kind, content)
        del content
        # Another process, so that its memory is that of the import alone.
        command = [
            sys.executable,
            "-c",
            f"from benchmarks import batch_import; batch_import.read({batch_id})",
        ]
        subprocess.run(command, check=True, env=os.environ | {"BENCH_KIND": kind})


def read(batch_id: int) -> None:
    import django

    django.setup()
    import os

    from messaging.batches.importing import importer
    from messaging.models import Batch

    if os.environ.get("PROF"):
        import cProfile

        cProfile.runctx("importer.run(batch_id)", globals(), locals(), sort="tottime")
        return

    started = time.perf_counter()
    importer.run(batch_id)
    took = time.perf_counter() - started
    batch = Batch.objects.get(pk=batch_id)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    print(
        f"  {os.environ['BENCH_KIND']:4}: {took:5.1f} s ({time.process_time():.1f} s of CPU),"
        f" {most:4.0f} MB at the most,"
        f" {batch.good} good, {batch.repeated} repeated, {batch.refused} refused"
        f" ({batch.state}{batch.reason and ': '}{batch.reason})",
        flush=True,
    )


def row(index: int) -> tuple[str, str, str]:
    """A row of the file. Every hundredth repeats an earlier number in another format."""
    number = f"139{index:08}" if index % 100 else f"+86 139-{index // 2:08}"
    return f"Customer {index}", number, f"Street {index}, flat {index % 40}"


def csv_file(rows: int) -> bytes:
    lines = ["name,phone,address", *(",".join(f'"{cell}"' for cell in row(i)) for i in range(rows))]
    return "\r\n".join(lines).encode()


def xlsx_file(rows: int) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(("name", "phone", "address"))
    for index in range(rows):
        sheet.append(row(index))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _stored(account: object, kind: str, content: bytes) -> int:
    from django.contrib.auth.models import User

    from messaging.batches import create

    by, _ = User.objects.get_or_create(username="bench")
    draft = create.BatchDraft(
        account=account,  # type: ignore[arg-type]
        text="Dear {name}, your parcel is on its way to {address}.",
        sms_kind="T",
        sender_id="BENCH",
        file_name=f"recipients.{kind.lower()}",
        content=[content],
    )
    return create.create_batch(draft, by=by, form_token=kind)[0].pk


if __name__ == "__main__":
    main()
