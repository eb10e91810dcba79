"""The page that explains the words about money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.admin.buttons import Text
from core.admin.pages import Page
from core.money_lines import MoneyLine


@dataclass(frozen=True, slots=True)
class Word:
    """`key` is the part of the address that leads to the word."""

    key: str
    word: Text
    meaning: Text


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    title: Text
    words: tuple[Word, ...]


_BEFORE: Final = Part(
    "before",
    _("Before you spend"),
    (
        Word(
            "price",
            pgettext_lazy("money", "Price"),
            _(
                "What one segment of an SMS or one rented number costs, in the provider's unit."
                " The price of a segment is what a manager entered for the account. The price of"
                " a number is known only from the provider's answer."
            ),
        ),
        Word(
            "about",
            pgettext_lazy("money", "About"),
            _(
                "An estimate of the portal: the entered price times the segments, or the last"
                " price of such a number. The provider may charge another amount."
            ),
        ),
        Word(
            "not-known",
            _("Not known"),
            _(
                "The portal has no figure, for example because no price is set. It does not mean"
                " that something is free."
            ),
        ),
        Word(
            "segment",
            pgettext_lazy("money", "Segment"),
            _(
                "The part of a text that is billed as one SMS: 160 characters, or 70 if a"
                " character needs Unicode; a little less in each part of a longer text."
            ),
        ),
    ),
)
_LINES: Final = Part(
    "after",
    _("What is said after an act"),
    (
        Word(
            MoneyLine.NOT_SPENT.key,
            MoneyLine.NOT_SPENT.text,
            _("The request never reached the provider, so it cannot have charged anything."),
        ),
        Word(
            MoneyLine.NOT_SENT.key,
            MoneyLine.NOT_SENT.text,
            _("It was stopped in the portal, before any request was made."),
        ),
        Word(
            MoneyLine.REFUSED.key,
            MoneyLine.REFUSED.text,
            _("The provider answered no. If it charged nevertheless, its transactions show it."),
        ),
        Word(
            MoneyLine.UNKNOWN.key,
            MoneyLine.UNKNOWN.text,
            _(
                "The answer was lost. The portal does not retry automatically, since that could"
                " be charged twice. A report, a correct code, the provider's list or a person"
                " decides the outcome."
            ),
        ),
        Word(
            MoneyLine.ACCEPTED.key,
            MoneyLine.ACCEPTED.text,
            _(
                "The provider said yes. Most charge for what they accept, also if it is not"
                " delivered later."
            ),
        ),
    ),
)
_BALANCE: Final = Part(
    "balance",
    _("The balance of an account"),
    (
        Word(
            "balance-word",
            pgettext_lazy("money", "Balance"),
            _(
                "What the provider said is left, in its own unit, at the time beside it. The"
                " portal computes nothing and never adds up balances of accounts."
            ),
        ),
        Word(
            "available",
            _("Available balance"),
            _("What can be spent now: the balance without what is frozen."),
        ),
        Word(
            "frozen",
            pgettext_lazy("money", "Frozen"),
            _("The sum of all holds: reserved for open orders, and not yet charged."),
        ),
        Word(
            "credit-limit",
            _("Credit limit"),
            _("How far below zero the provider lets the balance of a postpaid account fall."),
        ),
        Word(
            "prepaid",
            _("Prepaid, postpaid"),
            _(
                "Prepaid: the account is topped up first and spends what it has. Postpaid: the"
                " provider sends a bill, up to the credit limit."
            ),
        ),
        Word(
            "low",
            _("Low balance"),
            _("The available balance is below the threshold that was set for the account."),
        ),
        Word(
            "lasts",
            _("Lasts about"),
            _(
                "How long the available balance would last at the spending of the last 24 hours:"
                " holds minus refunds. No figure is shown if the provider booked something since."
            ),
        ),
        Word(
            "out-of-date",
            _("Out of date"),
            _("The provider booked something after the balance was read. Read it again."),
        ),
    ),
)
_TRANSACTIONS: Final = Part(
    "transactions",
    _("The provider's transactions"),
    (
        Word(
            "transaction",
            pgettext_lazy("money", "Transaction"),
            _("A movement of money as the provider states it. The portal only reads it."),
        ),
        Word("top-up", _("Top-up (Deposit)"), _("Money that was paid into the account.")),
        Word(
            "hold",
            pgettext_lazy("transaction", "Hold"),
            _(
                "The provider reserves the price of a rented number. It is charged when an SMS"
                " arrives."
            ),
        ),
        Word(
            "release",
            pgettext_lazy("transaction", "Release"),
            _("A hold that has ended: nothing remains reserved for this order."),
        ),
        Word(
            "refund",
            pgettext_lazy("transaction", "Refund"),
            _(
                "Money that the provider gives back, for example for a number on which no SMS"
                " arrived. It may come some minutes after the order has ended."
            ),
        ),
        Word(
            "charged",
            pgettext_lazy("money", "Charged"),
            _("Taken for good. For SMS the portal knows it only from the balance."),
        ),
    ),
)
_CHECKS: Final = Part(
    "checks",
    _("Checks and statements"),
    (
        Word(
            "ledger-check",
            _("Ledger check"),
            _("Compares each order of the portal with the provider's transactions."),
        ),
        Word(
            "finding",
            pgettext_lazy("money", "Finding"),
            _(
                "One point on which the two disagree, such as a missing refund. It stays until"
                " both agree or a person explains it."
            ),
        ),
        Word(
            "cost",
            pgettext_lazy("money", "Cost"),
            _(
                "In figures: accepted segments times the entered price, as far as a price is"
                " known. The movement of the balance is shown beside it for comparison."
            ),
        ),
        Word(
            "statement",
            _("Monthly statement"),
            _(
                "A file of what was sent, verified and rented in a month, by account and by"
                " person. It is no bill: the provider's own bill decides."
            ),
        ),
        Word(
            "daily-limit",
            _("Daily limit"),
            _(
                "How many SMS, codes or numbers a person may pay for in any 24 hours. It limits"
                " counts, not amounts."
            ),
        ),
    ),
)
PARTS: Final = (_BEFORE, _LINES, _BALANCE, _TRANSACTIONS, _CHECKS)


def all_words() -> Iterator[Word]:
    for part in PARTS:
        yield from part.words


class MoneyWordsPage(Page, TemplateView):
    """For every member of staff: it contains no data."""

    title = _("What the money words mean")
    template_name = "portal/money_words.html"
    http_method_names = ["get"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "parts": PARTS}


def money_words_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    return [path("money-words/", site.admin_view(MoneyWordsPage.as_view()), name="money_words")]
