"""Re-encrypt every stored secret with the first key of SECRETS_KEYS.

1. Put the new key first and restart the portal.
2. Run this command. It is safe while the portal runs, and may be repeated.
3. Remove the old key once the command reports that nothing is left to encrypt, and at least ten
   minutes after step 1: codes that were sent before are checked with it, and live that long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models

from core import key_checks
from core.encrypted_columns import encrypted_columns, foreign_tokens, tokens_of
from core.fields import EncryptedField, StoredSecret, cipher
from core.sealed_fields import seal_again, sealed_models

WAIT: Final = (
    "Remove the old key no sooner than ten minutes after the new one became the first: codes that"
    " were sent before are checked with it."
)


@dataclass
class Tally:
    """The results for the values of one column."""

    rotated: int = 0
    current: int = 0
    changed: int = 0
    """Values that were saved during the run, hence with the first key already."""
    unreadable: list[Any] = field(default_factory=list)


class Command(BaseCommand):
    help = (
        "Re-encrypts every stored secret with the first key of SECRETS_KEYS."
        " Exit code 1 if a value can be read with no key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only, write nothing")

    def handle(self, *_args: Any, dry_run: bool = False, **_options: Any) -> None:
        lost = 0
        for model, column in encrypted_columns():
            tally = rotate(model, column, dry_run=dry_run)
            lost += len(tally.unreadable)
            self.report(f"{model._meta.label}.{column.name}", tally, dry_run=dry_run)
        for source in foreign_tokens:
            tally = rotate_tokens(source.tokens(), source.replace, dry_run=dry_run)
            lost += len(tally.unreadable)
            self.report(source.name, tally, dry_run=dry_run)
        for model, names in sealed_models() if settings.ENCRYPT_FILES and not dry_run else ():
            written, unreadable = seal_again(model, names)
            lost += unreadable
            self.stdout.write(f"{model._meta.label}: {written} rows re-encrypted")
        if lost:
            raise CommandError(f"{lost} values can be read with none of the keys.", returncode=1)
        if not dry_run:
            key_checks.forget_former_keys()
            self.stdout.write(WAIT)

    def report(self, name: str, tally: Tally, *, dry_run: bool) -> None:
        verb = "to re-encrypt" if dry_run else "re-encrypted"
        line = f"{name}: {tally.rotated} {verb}, {tally.current} with the first key already"
        if tally.changed:
            line += f", {tally.changed} saved by others meanwhile"
        self.stdout.write(line)
        if tally.unreadable:
            keys = ", ".join(str(pk) for pk in tally.unreadable)
            self.stderr.write(f"{name}: no key reads the rows with these ids: {keys}")


def rotate(model: type[models.Model], column: EncryptedField, *, dry_run: bool) -> Tally:
    return rotate_tokens(tokens_of(model, column), partial(replace, model, column), dry_run=dry_run)


def rotate_tokens(
    tokens: Iterator[tuple[Any, str]],
    put: Callable[[Any, str, str], bool],
    *,
    dry_run: bool,
) -> Tally:
    tally = Tally()
    for pk, token in tokens:
        if is_current(token):
            tally.current += 1
            continue
        try:
            rotated = cipher().rotate(token.encode("ascii")).decode("ascii")
        except (InvalidToken, UnicodeError):
            tally.unreadable.append(pk)
            continue
        if dry_run or put(pk, token, rotated):
            tally.rotated += 1
        else:
            tally.changed += 1
    return tally


def is_current(token: str) -> bool:
    try:
        Fernet(settings.SECRETS_KEYS[0]).decrypt(token.encode("ascii"))
    except (InvalidToken, UnicodeError):
        return False
    return True


def replace(
    model: type[models.Model], column: EncryptedField, pk: Any, token: str, rotated: str
) -> bool:
    """Replace the value unless it changed since it was read; False if it did."""
    unchanged = {"pk": pk, column.attname: StoredSecret(token)}
    changed = model._base_manager.filter(**unchanged).update(
        **{column.attname: StoredSecret(rotated)}
    )
    return bool(changed)
