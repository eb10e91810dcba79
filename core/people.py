"""How pages name people."""

from __future__ import annotations

from django.utils.translation import gettext as _


def person_name(user: object) -> str:
    """The full name, or else the user name. None means the portal itself."""
    if user is None:
        return _("the portal")
    full_name = getattr(user, "get_full_name", str)()
    return full_name or str(user)
