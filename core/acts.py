"""Record what people do to the portal."""

from __future__ import annotations

from django.contrib.auth.models import User

from .models import Act


def record_act(
    what: str, *, by: User | None, subject: str = "", reason: str = "", **details: object
) -> Act:
    """Record one act. Call it in the transaction of the act itself.

    `what`: the kind of act as `thing.verb`. `by`: None for the administrator's command line.
    `subject`: `kind:id`, as in the journal. `details`: values that JSON can hold; never a secret.
    """
    return Act.objects.create(
        what=what, by=by, subject=subject, reason=reason[:200], details=details
    )
