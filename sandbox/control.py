"""The control interface: `Switches` in process, `Control` as JSON over HTTP.

All paths are under `/_sandbox/`. Every POST takes and returns a JSON object. It requires the JSON
content type, which another site's page cannot send without a preflight. Errors are
{"error": "…"} with status 400.

    GET  state                       providers, accounts, settings, faults, counters
    GET  book?after=&provider=&operation=&kind=&limit=&polls=
    GET  phones?entry=&limit=
    POST clear                       {}
    POST faults/set                  {"fault", "provider", "operation", "calls", "accept",
                                     "first_tries", "options"}
    POST faults/clear                {"number"} or {}
    POST report                      {"provider", "message_id", "word", "fields", "delay"}
    POST sms                         {"provider", "message_id", "text", "code"}
    POST accounts/add                {"provider", "label", "login", "secret", "changes"}
    POST accounts/change             {"provider", "label", "changes"}
    POST settings                    {"provider", "changes"}

An error may also have a "key" and "values", which a page translates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sandbox import credentials
from sandbox.book import Book
from sandbox.callbacks import Pusher
from sandbox.exchange import Reply, Request
from sandbox.faults import Active, Switchboard, catalogue
from sandbox.phones import Phones
from sandbox.provider import ControlError, Provider, change, settable

PREFIX = "/_sandbox/"
BOOK_LIMIT = 500
PHONE_LIMIT = 100
LONGEST_DELAY = 3600.0


class Switches:
    """Controls the simulated providers: sets faults, pushes reports, changes accounts."""

    def __init__(self, providers: Iterable[Provider], book: Book, pusher: Pusher) -> None:
        self.providers = {provider.name: provider for provider in providers}
        self.book = book
        self.pusher = pusher
        self.faults = Switchboard()

    def provider(self, name: str) -> Provider:
        try:
            return self.providers[name]
        except KeyError:
            raise ControlError(
                f"There is no provider called {name}.", "unknown_provider", name=name
            ) from None

    def fault(
        self,
        fault_id: str,
        *,
        provider: str | None = None,
        operation: str | None = None,
        calls: int | None = 1,
        accept: bool | None = None,
        first_tries: bool = False,
        **options: float | str,
    ) -> Active:
        """Switch a fault on. `calls=None` applies it to all calls, see `Switchboard.set`."""
        if provider is not None:
            known = self.provider(provider).operations
            if operation is not None and operation not in known:
                raise ControlError(f"{provider} has no operation {operation}.")
        return self.faults.set(
            fault_id,
            provider=provider,
            operation=operation,
            calls=calls,
            accept=accept,
            first_tries=first_tries,
            **options,
        )

    def clear_faults(self) -> None:
        self.faults.clear()

    def report(
        self, provider: str, message_id: str, word: str, *, delay: float = 0.0, **fields: str
    ) -> None:
        """Push one delivery report in `delay` seconds; `fields` overrides fields of it."""
        self.provider(provider).report(str(message_id), word, fields, delay)

    def phones(self, entry: int = 0, limit: int = PHONE_LIMIT) -> dict[str, object]:
        """See `Phones.as_json`."""
        return Phones(self.book, self.providers, self.pusher).as_json(entry, limit)

    def deliver_sms(
        self, message_id: str | int, text: str, code: str | None = None, provider: str = "gosms"
    ) -> None:
        """Let an SMS arrive. Without `code` the provider extracts it from the text."""
        self.provider(provider).deliver_sms(str(message_id), text, code)

    def add_account(
        self, provider: str, label: str, login: str, secret: str = "", **changes: object
    ) -> None:
        owner = self.provider(provider)
        if not label or not login:
            raise ControlError("An account needs a label and a login.")
        if any(one.login == login for one in owner.accounts.values() if one.label != label):
            raise ControlError(f"{owner.label} has an account with that login already.")
        account = owner.account_class(label, login, secret)
        change(account, changes)
        owner.add_account(account)

    def change_account(
        self, provider: str, label: str = credentials.PRACTICE, **changes: object
    ) -> None:
        owner = self.provider(provider)
        with owner.lock:
            change(owner.account(label), changes)

    def change_settings(self, provider: str, **changes: object) -> None:
        owner = self.provider(provider)
        with owner.lock:
            change(owner.settings, changes)

    def wait_for_pushes(self, timeout: float = 5.0) -> bool:
        """Wait until every scheduled report has been pushed. Returns False on timeout."""
        return self.pusher.wait_idle(timeout)

    def clear(self) -> None:
        """Forget messages, the book, faults and pending reports; accounts and settings stay."""
        self.faults.clear()
        self.pusher.forget()
        for provider in self.providers.values():
            provider.reset()
        self.book.clear()

    def state(self) -> dict[str, object]:
        return {
            "providers": [_describe(provider) for provider in self.providers.values()],
            "faults": catalogue(),
            "active": [active.as_json() for active in self.faults.active()],
            "counters": self.book.counters(),
            "repeated": self.book.repeated(),
        }


def _describe(provider: Provider) -> dict[str, object]:
    with provider.lock:
        return {
            "name": provider.name,
            "label": provider.label,
            "base_path": provider.base_path(),
            "operations": list(provider.operations),
            "polls": list(provider.polls),
            "delivered_word": provider.delivered_word,
            "failed_word": provider.failed_word,
            "report_words": list(provider.report_words),
            "settings": settable(provider.settings),
            "accounts": [
                {"label": account.label, **settable(account)}
                for account in provider.accounts.values()
            ],
        }


class Control:
    """Turns control requests into calls of `Switches`."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._posts: dict[str, Callable[[Mapping[str, object]], object]] = {
            "clear": self._clear,
            "faults/set": self._set_fault,
            "faults/clear": self._clear_fault,
            "report": self._report,
            "sms": self._sms,
            "accounts/add": self._add_account,
            "accounts/change": self._change_account,
            "settings": self._change_settings,
        }

    def handle(self, request: Request) -> Reply:
        name = request.path.removeprefix(PREFIX).strip("/")
        if request.method == "GET" and name == "state":
            return Reply(self._switches.state())
        try:
            if request.method == "GET" and name == "book":
                return Reply(self._book(request.parameters()))
            if request.method == "GET" and name == "phones":
                return Reply(self._phones(request.parameters()))
            if request.method == "POST" and name in self._posts:
                return Reply(self._posts[name](_object(request)) or {"ok": True})
        except ControlError as error:
            why = {"error": str(error), "key": error.key, "values": error.values}
            return Reply(why, 400, accepted=False)
        except (ValueError, TypeError) as error:
            return Reply({"error": str(error)}, 400, accepted=False)
        return Reply({"error": "Not Found"}, 404, accepted=False)

    def _book(self, query: Mapping[str, str]) -> object:
        limit = int(query.get("limit") or BOOK_LIMIT)
        entries = self._switches.book.entries(
            query.get("provider") or None,
            query.get("operation") or None,
            kind=query.get("kind") or None,
            after=int(query.get("after") or 0),
        )
        if wanted := query.get("polls"):
            providers = self._switches.providers
            polls = {(name, poll) for name, one in providers.items() for poll in one.polls}
            only = wanted == "only"
            entries = [one for one in entries if ((one.provider, one.operation) in polls) == only]
        # A page shows the newest entries. A client that reads continuously passes `after`.
        return {"entries": [entry.as_json() for entry in entries[-limit:]], "total": len(entries)}

    def _phones(self, query: Mapping[str, str]) -> dict[str, object]:
        limit = min(int(query.get("limit") or PHONE_LIMIT), PHONE_LIMIT)
        return self._switches.phones(int(query.get("entry") or 0), limit)

    def _clear(self, values: Mapping[str, object]) -> None:
        self._switches.clear()

    def _set_fault(self, values: Mapping[str, object]) -> object:
        calls, accept = values.get("calls", 1), values.get("accept")
        options = values.get("options") or {}
        if not isinstance(options, dict) or not isinstance(accept, bool | None):
            raise ControlError("options is an object, accept is true, false or null.")
        first_tries = values.get("first_tries", False)
        if not isinstance(first_tries, bool):
            raise ControlError("first_tries is true or false.")
        if isinstance(calls, bool) or not isinstance(calls, int | None):
            raise ControlError("calls is a number, or null for all calls.")
        active = self._switches.fault(
            _text(values, "fault"),
            provider=_text(values, "provider") or None,
            operation=_text(values, "operation") or None,
            calls=calls,
            accept=accept,
            first_tries=first_tries,
            **options,
        )
        return active.as_json()

    def _clear_fault(self, values: Mapping[str, object]) -> None:
        number = values.get("number")
        self._switches.faults.clear(None if number is None else int(str(number)))

    def _report(self, values: Mapping[str, object]) -> None:
        fields = {key: str(value) for key, value in _mapping(values, "fields").items()}
        provider = self._switches.provider(_text(values, "provider"))
        delay = float(_text(values, "delay") or 0)
        if not 0 <= delay <= LONGEST_DELAY:
            raise ControlError(f"delay is at most {LONGEST_DELAY:g} seconds.")
        provider.report(_text(values, "message_id"), _text(values, "word"), fields, delay)

    def _sms(self, values: Mapping[str, object]) -> None:
        code = values.get("code")
        provider = self._switches.provider(_text(values, "provider") or "gosms")
        number, text = _text(values, "message_id"), _text(values, "text")
        provider.deliver_sms(number, text, None if code is None else str(code))

    def _add_account(self, values: Mapping[str, object]) -> None:
        names = ("provider", "label", "login", "secret")
        provider, label, login, secret = (_text(values, name) for name in names)
        self._switches.add_account(provider, label, login, secret, **_mapping(values, "changes"))

    def _change_account(self, values: Mapping[str, object]) -> None:
        label = _text(values, "label") or credentials.PRACTICE
        changes = _mapping(values, "changes")
        self._switches.change_account(_text(values, "provider"), label, **changes)

    def _change_settings(self, values: Mapping[str, object]) -> None:
        changes = _mapping(values, "changes")
        self._switches.change_settings(_text(values, "provider"), **changes)


def _object(request: Request) -> Mapping[str, object]:
    if "json" not in request.headers.get("content-type", ""):
        raise ControlError("The content type is application/json.")
    values = request.json_object()
    if values is None:
        raise ControlError("The body is a JSON object.")
    return values


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def _mapping(values: Mapping[str, object], name: str) -> dict[str, object]:
    value = values.get(name) or {}
    if not isinstance(value, dict):
        raise ControlError(f"{name} is an object.")
    return value
