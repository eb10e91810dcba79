"""The newest seal as the files of this host remember it, beside the fence.

Whoever removes the newest acts together with their seals leaves a chain that is whole. The files
still name the seal that is gone.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from providers.hold import fence_files

from .models import Seal

logger = logging.getLogger(__name__)

NAME: Final = "audit-seal.json"


@dataclass(frozen=True, slots=True)
class Anchor:
    number: int
    hash: str


def remember(seal: Seal) -> None:
    """Keep this seal in every folder of the fence."""
    content = json.dumps(asdict(Anchor(seal.number, seal.hash)))
    for folder in fence_files.folders().values():
        try:
            _write(folder / NAME, content)
        except OSError as error:
            logger.warning("%s cannot be written (%s).", folder / NAME, error.strerror)


def missing_anchor() -> Anchor | None:
    """The highest seal in the files that the database does not have, and no later seal explains."""
    lost = [anchor for anchor in _read_all() if not _is_there(anchor) and not _is_explained(anchor)]
    return max(lost, key=lambda anchor: anchor.number, default=None)


def _is_there(anchor: Anchor) -> bool:
    return Seal.objects.filter(number=anchor.number, hash=anchor.hash).exists()


def _is_explained(anchor: Anchor) -> bool:
    """Whether a seal notes that the chain was cut where this anchor belonged."""
    gaps = Seal.objects.filter(number__lte=anchor.number).exclude(lost=None)
    return any(gap.lost and gap.lost["number"] >= anchor.number for gap in gaps)


def _read_all() -> list[Anchor]:
    found = []
    for folder in fence_files.folders().values():
        try:
            content = json.loads((folder / NAME).read_text(encoding="utf-8"))
            found.append(Anchor(int(content["number"]), str(content["hash"])))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            logger.warning("%s cannot be read and counts as missing.", folder / NAME)
    return found


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{NAME}.{os.getpid()}")
    new.write_text(content, encoding="utf-8")
    new.chmod(0o600)
    new.replace(path)
