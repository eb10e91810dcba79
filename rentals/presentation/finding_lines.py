"""The two sides of a finding of the ledger check, each in one line."""

from __future__ import annotations

from core.admin.labels import label_for
from core.punctuation import listed

from ..models import Finding
from .timeline import type_word


def ours_line(finding: Finding) -> str:
    ours = finding.ours
    if not ours:
        return "–"
    word = label_for("order", ours.get("state", "")).word
    return f"{word} {ours.get('price', '')}".strip()


def theirs_line(finding: Finding) -> str:
    rows = finding.theirs[:4]
    return listed(f"{type_word(row['type'])} {row['amount']}" for row in rows) or "–"
