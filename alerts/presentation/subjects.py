"""What rules and receivers are called in the audit log, and where they lead to."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _

from providers.journal import register_subject_resolver

from ..kinds import BY_KEY
from ..models import Receiver, Rule


def _rules(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    rows = Rule.objects.filter(pk__in=identities).order_by()
    return {str(rule.pk): (_rule_name(rule), reverse("admin:alerts")) for rule in rows}


def _rule_name(rule: Rule) -> str:
    kind = BY_KEY.get(rule.kind)
    return _("alert rule “%(name)s”") % {"name": kind.title if kind else rule.kind}


def _receivers(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    rows = Receiver.objects.filter(pk__in=identities).order_by()
    text, url = _("receiver “%(name)s”"), reverse("admin:alerts")
    return {str(one.pk): (text % {"name": one.name}, url) for one in rows}


def register() -> None:
    register_subject_resolver("alert_rule", _rules)
    register_subject_resolver("alert_receiver", _receivers)
