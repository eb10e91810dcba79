"""Sessions in the database that distinguish an outage from a session that has ended.

If a session cannot be saved, Django reports that it was deleted, whatever the reason, and
answers 400. During an outage of the database that is not so: the request may even have done its
work. The error of the database leads to the page that says that the portal is not available.
"""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError


class SessionStore(db.SessionStore):
    """Keeps the name of its base class, which is part of the signature of stored sessions."""

    def save(self, must_create: bool = False) -> None:
        """Save the session.

        Raises `UpdateError` if the session does not exist any more, and the database's own error
        if it cannot be saved.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            reason = error.__context__
            # Django itself raises the base class if no row was there to update.
            if isinstance(reason, DatabaseError) and type(reason) is not DatabaseError:
                raise reason from None
            raise
