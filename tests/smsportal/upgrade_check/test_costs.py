"""What a statement of a migration costs, by its table's size."""

from __future__ import annotations

import pytest

from smsportal.upgrade_check.costs import Cost, Size, Wait, cost_of

MEGA = 1_000_000


def size_of(table: str) -> Size:
    return Size(MEGA, 500 * MEGA) if table == "big" else Size(0, 0)


def cost(statement: str, *, sqlite: bool = False) -> Cost | None:
    return cost_of(statement, size_of, sqlite)


@pytest.mark.parametrize(
    ("statement", "what", "wait"),
    [
        ('CREATE INDEX "one" ON "big" ("state")', "gets an index", Wait.WRITES),
        ('CREATE UNIQUE INDEX "one" ON "big" ("a") WHERE "a" > 1', "gets an index", Wait.WRITES),
        ('CREATE INDEX CONCURRENTLY "one" ON "big" ("a")', "gets an index", Wait.NOTHING),
        ('ALTER TABLE "big" ALTER COLUMN "a" TYPE bigint', "is rewritten", Wait.EVERYTHING),
        (
            'ALTER TABLE "big" ADD COLUMN "at" timestamptz DEFAULT statement_timestamp() NOT NULL',
            "is rewritten",
            Wait.EVERYTHING,
        ),
        (
            'ALTER TABLE "big" ADD CONSTRAINT "c" FOREIGN KEY ("a") REFERENCES "x" ("id")',
            "is read through",
            Wait.EVERYTHING,
        ),
        ('ALTER TABLE "big" ALTER COLUMN "a" SET NOT NULL', "is read through", Wait.EVERYTHING),
        (
            'ALTER TABLE "big" ADD CONSTRAINT "c" UNIQUE ("a")',
            "gets a unique index",
            Wait.EVERYTHING,
        ),
        ('UPDATE "big" SET "a" = 1', "may be rewritten", Wait.WRITES),
    ],
)
def test_statements_that_take_time(statement: str, what: str, wait: Wait) -> None:
    found = cost(statement)
    assert found is not None
    assert (found.what, found.table, found.wait) == (what, "big", wait)
    assert found.seconds > 0.1


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TABLE "new" ("id" bigint NOT NULL PRIMARY KEY)',
        'CREATE INDEX "one" ON "new" ("state")',
        'ALTER TABLE "big" ADD COLUMN "a" varchar(20) NULL',
        'ALTER TABLE "big" ADD COLUMN "a" varchar(20) DEFAULT \'\' NOT NULL',
        'ALTER TABLE "big" ALTER COLUMN "a" DROP DEFAULT',
        'DROP INDEX IF EXISTS "one"',
        "-- Raw Python operation",
    ],
)
def test_statements_that_are_over_at_once(statement: str) -> None:
    assert cost(statement) is None


def test_table_that_sqlite_copies_is_counted_once() -> None:
    statements = [
        'CREATE TABLE "new__big" ("id" integer NOT NULL PRIMARY KEY)',
        'INSERT INTO "new__big" ("id") SELECT "id" FROM "big"',
        'DROP TABLE "big"',
        'ALTER TABLE "new__big" RENAME TO "big"',
    ]
    found = [one for one in (cost(each, sqlite=True) for each in statements) if one]
    assert [(one.what, one.table, one.space) for one in found] == [("is copied", "big", 500 * MEGA)]
