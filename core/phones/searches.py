"""Limit searches for phone numbers by people who see numbers masked.

A mask hides about four digits. Somebody who may ask for any number, and is told whether it is
there, could try all 10,000. A call desk asks for many numbers, but not for many that look alike.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..acts import record_act
from ..models import Act, NumberSearch
from .parse import mask
from .tokens import BadToken, number_in

WITHIN: Final = timedelta(hours=1)
MOST_ALIKE: Final = 10
"""Different numbers that share their visible digits."""
MOST: Final = 300
REFUSED: Final = "number_search.refuse"
TOO_MANY: Final[Promise] = _(
    "You have looked up too many phone numbers that look alike. Try again in an hour, or ask"
    " someone who may reveal numbers."
)


def allow_search(number: str, by: User, *, where: str, most: int | None = MOST) -> bool:
    """Count the search for a number (E.164). False if it must not be answered.

    A number that was looked up within the hour is free. The first refusal within an hour is
    recorded. `where` names the list or form. `most` limits all numbers, whatever they look like.
    """
    with transaction.atomic():
        # One search of a person at a time, or many at once would pass together.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        now = timezone.now()
        earlier = NumberSearch.objects.filter(by=by)
        earlier.filter(at__lte=now - WITHIN).delete()
        digest, alike = digest_of(number), digest_of(mask(number))
        if earlier.filter(number=digest).exists():
            return True
        counted_alike = earlier.filter(alike=alike).count()
        if counted_alike >= MOST_ALIKE or (most is not None and earlier.count() >= most):
            _record_refusal(by, where, alike=counted_alike)
            return False
        NumberSearch.objects.create(by=by, number=digest, alike=alike, at=now)
        return True


def has_typed(number: str, by: User) -> bool:
    """Whether this person typed the whole number in a search within the hour."""
    since = timezone.now() - WITHIN
    return NumberSearch.objects.filter(by=by, number=digest_of(number), at__gt=since).exists()


def typed_number(token: str, by: User) -> str:
    """The number of a token, if this person typed it in a search within the hour; else empty.

    Forms are filled in with it: nobody learns a number by a form.
    """
    try:
        number = number_in(token) if token else ""
    except BadToken:
        return ""
    return number if number and has_typed(number, by) else ""


def digest_of(text: str) -> str:
    """The keyed hash under which a search is kept. Rows need the name, so it never changes."""
    return salted_hmac("core.number_searches", text, algorithm="sha256").hexdigest()


def _record_refusal(by: User, where: str, alike: int) -> None:
    recent = Act.objects.filter(what=REFUSED, by=by, at__gt=timezone.now() - WITHIN)
    if not recent.exists():
        record_act(REFUSED, by=by, where=where, alike=alike)
