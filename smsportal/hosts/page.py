"""The page of hosts: what runs the portal, where, and whether it fits together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.admin.labels import Role
from core.admin.pages import Page, fragment
from core.punctuation import label_text, listed, separated
from providers import clock
from providers.clock import database_now
from providers.hosts import MAX_CLOCK_DIFFERENCE, SILENT_AFTER, accounts_by_host
from providers.models import Account, Host

from .health import health_lines

PERMISSION: Final = "providers.view_host"
SHOWN_ACCOUNTS: Final = 3
ROLES: Final[dict[str, Promise]] = {
    Host.Role.ALL: gettext_lazy("Web and work"),
    Host.Role.WEB: gettext_lazy("Web only"),
    Host.Role.WORK: gettext_lazy("Work only"),
}


@dataclass(frozen=True, slots=True)
class HostLine:
    """One host as the page shows it."""

    host: Host
    state: str
    """As in `providers.presentation.labels.HOST`."""
    accounts: Sequence[str]

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def role(self) -> Promise | str:
        return ROLES.get(self.host.role, self.host.role)

    @property
    def percent(self) -> int | None:
        return None if self.host.load is None else round(100 * self.host.load)

    @property
    def shown_accounts(self) -> str:
        return listed(self.accounts[:SHOWN_ACCOUNTS])

    @property
    def more_accounts(self) -> int:
        return max(0, len(self.accounts) - SHOWN_ACCOUNTS)

    @property
    def clock(self) -> str:
        difference = self.host.clock_difference
        return "" if difference is None else _("%(seconds)s s") % {"seconds": f"{difference:+.1f}"}

    @property
    def clock_differs(self) -> bool:
        difference = self.host.clock_difference
        return difference is not None and abs(difference) > MAX_CLOCK_DIFFERENCE


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    text: str
    role: Role


class HostsPage(Page, TemplateView):
    title = pgettext_lazy("title", "Hosts")
    permission_required = PERMISSION
    template_name = "portal/hosts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **hosts_context()}


@fragment(PERMISSION)
def hosts_live(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/hosts_live.html", hosts_context())


def hosts_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    return [
        path("hosts/", site.admin_view(HostsPage.as_view()), name="hosts"),
        path("hosts/live/", hosts_live, name="hosts_live"),
    ]


def hosts_context() -> dict[str, Any]:
    now = datetime.fromtimestamp(database_now(), UTC)
    served = accounts_by_host()
    lines = [HostLine(one, state_of(one, now), served.get(one.name, [])) for one in _hosts()]
    running = [line.host for line in lines if line.is_running]
    return {
        "lines": lines,
        "notices": notices(running),
        "health": health_lines(running),
        "events": events(lines),
        "accounts_in_all": Account.objects.count(),
        "as_of": clock.now(),
    }


def _hosts() -> list[Host]:
    return list(Host.objects.all())


def state_of(host: Host, now: datetime) -> str:
    if host.stopped_at is not None:
        return "stopped"
    return "running" if now - host.seen_at < SILENT_AFTER else "silent"


def notices(running: Sequence[Host]) -> list[str]:
    """What does not fit together among the hosts that run."""
    found = []
    versions, keys = _group(running, "version"), _group(running, "keys")
    if len(versions) > 1:
        found.append(
            _(
                "The hosts run different versions: %(hosts)s. This is meant to last"
                " only during an upgrade."
            )
            % {"hosts": _in_words(versions)}
        )
    if len(keys) > 1:
        found.append(
            _("The hosts have different keys: %(hosts)s. Give every host the same keys.")
            % {"hosts": _in_words(keys)}
        )
    late = [one.name for one in running if HostLine(one, "running", ()).clock_differs]
    if late:
        found.append(
            _(
                "The clock of %(hosts)s differs from the database. Synchronise it,"
                " preferably with NTP."
            )
            % {"hosts": listed(late)}
        )
    return found


def _group(hosts: Sequence[Host], field: str) -> Mapping[str, list[str]]:
    """Names of hosts by a value of theirs. Hosts that do not know it are left out."""
    groups: dict[str, list[str]] = defaultdict(list)
    for host in hosts:
        if value := getattr(host, field):
            groups[value].append(host.name)
    return groups


def _in_words(groups: Mapping[str, list[str]]) -> str:
    return separated(label_text(value, listed(names)) for value, names in sorted(groups.items()))


def events(lines: Sequence[HostLine]) -> list[Event]:
    """When each host joined last, and stopped or vanished; the newest first."""
    found = []
    for line in lines:
        host = line.host
        words = {"host": host.name, "version": host.version, "role": line.role}
        joined = _("%(host)s joined with version %(version)s: %(role)s") % words
        found.append(Event(host.started_at, joined, Role.INFO))
        if host.stopped_at is not None:
            found.append(
                Event(host.stopped_at, _("%(host)s stopped normally") % words, Role.NEUTRAL)
            )
        elif line.state == "silent":
            found.append(Event(host.seen_at, _("%(host)s last seen") % words, Role.WARNING))
    return sorted(found, key=lambda event: event.at, reverse=True)
