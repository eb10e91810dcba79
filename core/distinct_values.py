"""The distinct values of an indexed column, without reading the table.

`SELECT DISTINCT` reads every row. This asks the index for the first value, then for the first one
after it, and so on.
"""

from __future__ import annotations

from typing import Final

from django.db import connections, router
from django.db.models import Model

MOST: Final = 300
"""Values of one column. What a provider states may have more, which no list offers."""


def distinct_values(model: type[Model], name: str) -> list[str]:
    """The values of the text column `name`, without the empty one, in the database's order.

    An index must begin with the column. It may leave the rows with an empty value out.
    """
    connection = connections[router.db_for_read(model)]
    table = connection.ops.quote_name(model._meta.db_table)
    column = connection.ops.quote_name(name)
    # The condition is written like that of the index, or SQLite would not use the index.
    smallest = f"SELECT MIN({column}) FROM {table} WHERE NOT ({column} = '')"  # noqa: S608
    query = f"""
        WITH RECURSIVE found (value) AS (
            SELECT ({smallest})
            UNION ALL
            SELECT ({smallest} AND {column} > found.value)
            FROM found WHERE found.value IS NOT NULL
        )
        SELECT value FROM found WHERE value IS NOT NULL LIMIT {MOST}
    """  # noqa: S608 - names of our own model
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [value for (value,) in cursor.fetchall()]
