"""The SQL of a dump, read part by part."""

from __future__ import annotations

import pytest

from smsportal.backup import BackupError
from smsportal.backup.pg_script import Rows, Statements, count_rows, parts_of

SCRIPT = rb"""--
-- PostgreSQL database dump
--
\restrict abc
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.one (
    id bigint NOT NULL
);
COPY public.one (id, text) FROM stdin;
1	SET is a word, \\. is none
2	COPY public.one (id) FROM stdin;
\.


COPY public."Two Words" (id) FROM stdin;
\.
SELECT pg_catalog.setval('public.one_id_seq', 2, true);
ALTER TABLE ONLY public.one ADD CONSTRAINT one_pkey PRIMARY KEY (id);
\unrestrict abc
"""


def lines(script: bytes) -> list[bytes]:
    return script.splitlines(keepends=True)


def test_rows_are_counted_by_table() -> None:
    assert count_rows(lines(SCRIPT)) == {"one": 2, "Two Words": 0}


def test_settings_of_the_session_and_commands_of_psql_are_left_out() -> None:
    found = [
        part.sql if isinstance(part, Statements) else list(part.lines)
        for part in parts_of(lines(SCRIPT))
    ]
    assert found == [
        b"CREATE TABLE public.one (\n    id bigint NOT NULL\n);\n",
        [b"1\tSET is a word, \\\\. is none\n", b"2\tCOPY public.one (id) FROM stdin;\n"],
        b"\n\n",
        [],
        (
            b"SELECT pg_catalog.setval('public.one_id_seq', 2, true);\n"
            b"ALTER TABLE ONLY public.one ADD CONSTRAINT one_pkey PRIMARY KEY (id);\n"
        ),
    ]


def test_copy_is_passed_without_its_end() -> None:
    rows = next(part for part in parts_of(lines(SCRIPT)) if isinstance(part, Rows))
    assert rows.sql == b"COPY public.one (id, text) FROM stdin"


def test_dump_that_ends_inside_a_table_is_an_error() -> None:
    with pytest.raises(BackupError, match="in the middle of a table"):
        count_rows(lines(SCRIPT.partition(b"2\tCOPY")[0]))
