#!/usr/bin/env python
"""Django's command line for the portal; `manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    # The database, its copies and the keys are for this user alone.
    os.umask(0o077)
    # The supervisor needs no Django, and would keep it in memory for as long as it runs.
    if sys.argv[1:2] == ["portal"]:
        from smsportal import portal

        sys.exit(portal.main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsportal.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
