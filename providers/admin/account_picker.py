"""The choice of the account that a form uses.

Accounts that cannot do what the form needs are listed, disabled, with the reason. Each app passes
a function from an account to this reason, which is empty for a usable account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeAlias

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin.buttons import Text
from core.admin.pages import ObjectPage, ObjectType

from ..balances import balance_of
from ..error_texts import explain
from ..models import Account
from ..presentation.balance_texts import balance_line
from .account_summary import paused_note

UnavailableReason: TypeAlias = Callable[[Account], str]


class AccountSelect(UnfoldAdminSelectWidget):
    """A select that disables unusable accounts and shows the reason. `remark`, if given, is what
    it shows of accounts that can be chosen all the same."""

    def __init__(
        self,
        accounts: Iterable[Account],
        unavailable_reason: UnavailableReason,
        remark: UnavailableReason | None = None,
    ) -> None:
        super().__init__()
        self.accounts = {account.public_id: account for account in accounts}
        self.unavailable_reason = unavailable_reason
        self.remark = remark or unavailable_reason

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        account = self.accounts.get(str(value))
        if account and (reason := self.unavailable_reason(account) or self.remark(account)):
            option["label"] = f"{account.name} – {reason}"
            if self.unavailable_reason(account):
                option["attrs"]["disabled"] = True
        return option


class ChosenAccount(forms.ChoiceField):
    """Shows the account of the form where none was posted: a disabled option never is. What
    counts is what was posted, so nothing goes out over an account that nobody chose."""

    # This is also what a paused account leads to.
    default_error_messages = {"required": gettext_lazy("Choose an account that can be used now.")}

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data or initial


class AccountChoice(ChosenAccount):
    """Cleans to a public id. `empty_label`, if given, allows choosing no account."""

    def __init__(
        self,
        accounts: Sequence[Account],
        unavailable_reason: UnavailableReason,
        *,
        empty_label: Text = "",
        **kwargs: Any,
    ) -> None:
        choices: list[tuple[str, Text]] = [
            (account.public_id, account.name) for account in accounts
        ]
        if empty_label:
            choices.insert(0, ("", empty_label))
        defaults: dict[str, Any] = {
            "label": pgettext_lazy("field", "Account"),
            "choices": choices,
            "widget": AccountSelect(accounts, unavailable_reason),
            "required": not empty_label,
        }
        super().__init__(**{**defaults, **kwargs})


def pause_context(
    account: Account | None, accounts: Sequence[Account], unavailable_reason: UnavailableReason
) -> dict[str, Any]:
    """Context of the note beside the button of a paused account: why, and which others can send."""
    if account is None or not account.is_paused:
        return {}
    others = [one for one in accounts if one != account and not unavailable_reason(one)]
    return {"pause": explain(account.pause_reason), "other_accounts": others}


def pick_account(
    request: HttpRequest,
    accounts: Sequence[Account],
    remembered: object,
    unavailable_reason: UnavailableReason,
) -> Account | None:
    """The requested account, else the one with the `remembered` public id, else the first usable
    one, else the first."""
    requested = request.POST.get("account") or request.GET.get("account")
    for public_id in (requested, remembered):
        for account in accounts:
            if account.public_id == public_id:
                return account
    usable = (account for account in accounts if not unavailable_reason(account))
    return next(usable, accounts[0] if accounts else None)


class AccountFormPage(ObjectPage[ObjectType], Generic[ObjectType]):
    """A page whose form belongs to one account. Mix it in before a `FormView`.

    Without any account, `no_account_template` replaces the form. A POST with `change_account`
    submits nothing: it renders the form of the other account.
    """

    no_account_template: str
    pause_consequence: Text = ""
    """What follows for this form while its account is paused, as a sentence."""

    def find_accounts(self) -> list[Account]:
        """The accounts to list."""
        raise NotImplementedError

    def choose_account(self, accounts: list[Account]) -> Account | None:
        raise NotImplementedError

    def kept_values(self) -> dict[str, Any]:
        """The entered values to keep when the account is changed."""
        return {name: value for name, value in self.request.POST.items() if name != "account"}

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.accounts = self.find_accounts()
        self.account = self.choose_account(self.accounts)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.account is None:
            may_add = request.user.has_perm("providers.add_account")
            context = {**super().get_context_data(form=None), "may_add": may_add}
            return render(request, self.no_account_template, context)
        answer: HttpResponse = super().get(request, *args, **kwargs)  # type: ignore[misc]
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.account is None:
            raise Http404
        view: Any = self
        if "change_account" in request.POST:
            unsent: HttpResponse = view.render_to_response(
                view.get_context_data(form=self.unsent_form())
            )
            return unsent
        answer: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]
        return answer

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]
        return {**kwargs, "account": self.account, "accounts": self.accounts}

    def unsent_form(self) -> Any:
        """The form of the newly chosen account, with the entered values."""
        view: Any = self
        kwargs = {**self.get_form_kwargs(), "data": None, "files": None}
        kwargs["initial"] = {**view.get_initial(), **self.kept_values()}
        return view.get_form_class()(**kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        line = balance_line(balance_of(self.account)) if self.account else ""
        paused = paused_note(self.account, self.pause_consequence) if self.account else ""
        return {**context, "account": self.account, "balance_line": line, "paused": paused}
