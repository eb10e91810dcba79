"""Every act that the code records can be read as a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import pytest
from django.utils.translation import override

from audit.presentation.sentences import Readings, plain_sentence, reason_text, sentence
from core.act_sentences import described, sentence_of
from core.acts import record_act
from core.stored_texts import StoredText
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.test_modules import ROOT, product_modules

RECORDERS: Final = {"record_act", "record_acts"}
LOGS: Final = ("log", "log_change", "report_result")
NO_ACTS: Final = {
    "revealed",
    "reveal.taken_over",
    "batch.report_downloaded",
    "order.imported",
    "staff.link",
}
"""Texts of the log beside which the code records an act that says more, and a reason."""


def product_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in product_modules():
        name = str(path.relative_to(ROOT))
        if not name.startswith(("benchmarks", "sandbox", "tools")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield name, node


def recorded_names() -> Iterator[str]:
    """The name of each act that the code records: a constant, or one of two."""
    for module, call in product_calls():
        if ast.unparse(call.func).rpartition(".")[2] not in RECORDERS or not call.args:
            continue
        choices = [call.args[0]]
        if isinstance(choices[0], ast.IfExp):
            choices = [choices[0].body, choices[0].orelse]
        for one in choices:
            if isinstance(one, ast.Constant):
                yield str(one.value)
            elif isinstance(one, ast.Name) and one.id.isupper():
                loaded = import_module(module.removesuffix(".py").replace("/", "."))
                yield str(getattr(loaded, one.id))


def logged_names() -> Iterator[str]:
    """The keys of the texts that pages log with `NAME.store(…)`."""
    for module, call in product_calls():
        if ast.unparse(call.func).rpartition(".")[2] not in LOGS:
            continue
        loaded = import_module(module.removesuffix(".py").replace("/", "."))
        for node in ast.walk(call):
            path = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
            if path.rpartition(".")[2].isupper():
                found: object = loaded
                for part in path.split("."):
                    found = getattr(found, part, None)
                if isinstance(found, StoredText):
                    yield found.key


def test_every_recorded_act_has_a_sentence() -> None:
    names = set(recorded_names())
    assert {"message.send", "hold.release", "staff.add", "backup.restore"} <= names
    assert sorted(names - set(described())) == []


def test_every_logged_text_has_a_sentence() -> None:
    names = set(logged_names())
    assert {"message.cancelled", "account.paused", "batch.tested", "order.withdrawn"} <= names
    assert sorted(names - NO_ACTS - set(described())) == []


def test_acts_named_elsewhere_have_a_sentence() -> None:
    others = ("sign_in", "sign_out", "sign_in.fail", "sign_in.lock", "hold.begin", "hold.extend")
    limits = ("limit.set", "limit.delete", "export.cancel", "export.delete", "message.marked_sent")
    assert [name for name in (*others, *limits) if sentence_of(name) is None] == []


@pytest.mark.django_db
def test_sentences_name_what_was_done_and_hide_markup() -> None:
    account = make_account(name="<b>Main</b>")
    act = record_act("account.paused", by=make_user(), subject=f"account:{account.pk}")
    readings = Readings.of([act])
    assert plain_sentence(act, readings) == "Paused account “<b>Main</b>”"
    shown = sentence(act, readings)
    assert f'href="/providers/account/{account.public_id}/change/"' in shown
    assert "&lt;b&gt;Main&lt;/b&gt;" in shown


@pytest.mark.django_db
def test_act_of_another_version_is_shown_by_its_name() -> None:
    act = record_act("thing.new", by=None, subject="thing:1", reason="why <i>")
    readings = Readings.of([act])
    assert plain_sentence(act, readings) == "thing.new: thing:1"
    assert reason_text(act) == "why <i>"
    # It may also have kept fewer details.
    other = record_act("export", by=None)
    assert plain_sentence(other, Readings.of([other])) == "Exported a list"


@pytest.mark.django_db
@pytest.mark.parametrize("what", sorted(described()))
def test_every_sentence_can_be_filled_in_both_languages(what: str) -> None:
    act = record_act(what, by=None, subject="message:1", to=1, fields=["groups"], roles=["viewer"])
    readings = Readings.of([act])
    english = plain_sentence(act, readings)
    with override("zh-hans"):
        chinese = plain_sentence(act, readings)
        assert "%(" not in chinese + sentence(act, readings)
    assert re.match("[A-Z]", english)
    assert re.search("[\u4e00-\u9fff]", chinese)


GAPS: Final = re.compile(r"–|None|“”|[,:：，]\s*(?:[,.;:，。；：]|$)|\(\)|\[\]|%")
"""A place that nothing was filled in."""
NO_SUBJECT: Final = ("sign_in.fail", "sign_in.lock", "sign_in.provider_refused", "export")
"""Such acts may be about nothing that is stored."""


def details_of(what: str) -> list[str]:
    texts = (described()[what].text, *described()[what].shorter)
    return sorted({name for text in texts for name in re.findall(r"%\((\w+)\)s", str(text))})


@pytest.mark.django_db
@pytest.mark.parametrize("what", sorted(described()))
def test_no_sentence_shows_that_a_value_is_missing(what: str) -> None:
    """Neither a detail that was not kept, nor an empty one, nor one of a person who is gone."""
    names = [name for name in details_of(what) if name != "subject"]
    kept: list[dict[str, Any]] = [{}, dict.fromkeys(names), dict.fromkeys(names, "")]
    kept += [{name: [] for name in names}, dict.fromkeys(names, 0)]
    kept += [{name: "1"} for name in names]
    subjects = ["message:1", ""] if what in NO_SUBJECT else ["message:1"]
    for details in kept:
        for subject in subjects:
            act = record_act(what, by=None, subject=subject, **details)
            for language in ("en", "zh-hans"):
                with override(language):
                    text = plain_sentence(act, Readings.of([act])).replace("message:1", "it")
                    assert not GAPS.search(text), (language, details, text)
                    assert what not in text


@pytest.mark.django_db
def test_days_without_limit_are_said_in_words() -> None:
    act = record_act("retention.confirm", by=None, kind="message_texts", days=None, before=180)
    text = plain_sentence(act, Readings.of([act]))
    assert text.endswith("days: for ever, before: 180")
