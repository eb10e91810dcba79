"""Which addresses a person may be led to after signing in: paths of this portal, nothing else."""

from __future__ import annotations

from django.utils.http import url_has_allowed_host_and_scheme


def is_local_path(url: str | None) -> bool:
    return bool(url) and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
