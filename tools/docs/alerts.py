"""What alerts watch, and where they go."""

from __future__ import annotations

from alerts.kinds import KINDS
from alerts.presentation.rule_lines import RuleLine
from alerts.targets import SERVICES

from .words import say, table


def kinds() -> str:
    """Each kind of rule with the threshold that its form starts with."""
    rows = []
    for kind in KINDS:
        line = RuleLine(kind, None, "", 0, None, is_muted=False)
        rows.append((f"**{kind.title}**", str(kind.area), str(kind.about), line.threshold))
    return table([say("rule"), say("area"), say("watched"), say("threshold")], rows)


def services() -> str:
    rows = ((str(service.label), f"`{service.example}`") for service in SERVICES)
    return table([say("service"), say("address")], rows)
