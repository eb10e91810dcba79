"""Serves static files to pages of other versions, too.

Behind one proxy, a page of one host may request its files from another. During an upgrade that host
runs another version, whose files have other digests in their names. A name with an unknown digest
is therefore answered with this version's file of that name. It may be cached for a minute only,
since the same address soon leads to the host that has the right one.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.contrib.staticfiles.storage import staticfiles_storage
from whitenoise.middleware import WhiteNoiseMiddleware

DIGEST: Final = re.compile(r"\.[0-9a-f]{12}(?=(\.[^./]+)?$)")
"""The part of a name that Django's manifest storage adds."""


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Answers requests for static files: by their exact names, else by names without a digest."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hashed: dict[str, str] = getattr(staticfiles_storage, "hashed_files", {})
        # The address without a digest lets whitenoise set the short time.
        self._by_plain_name = {
            f"{self.static_prefix}{name}": self.get_static_file(
                staticfiles_storage.path(found), f"{self.static_prefix}{name}"
            )
            for name, found in hashed.items()
            if staticfiles_storage.exists(found)
        }

    def __call__(self, request: Any) -> Any:
        path = request.path_info
        if path in self.files or self.autorefresh or not path.startswith(self.static_prefix):
            return super().__call__(request)
        found = self._by_plain_name.get(DIGEST.sub("", path))
        return self.serve(found, request) if found else super().__call__(request)
