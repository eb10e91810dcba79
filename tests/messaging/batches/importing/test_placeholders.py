"""Places for the values of columns, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.batches.importing.lookalikes import lone_brace, odd_braces
from messaging.batches.importing.placeholders import (
    EmptyPlaceholder,
    Pattern,
    corrected_text,
)

COLUMNS = ["Phone", "Name", "姓名", "First name", "Amount"]
ROW = ["13912345678", "Li", "李", "Wei", "5"]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hi {Name}", "Hi Li"),
        ("Hi {name}, {NAME}", "Hi Li, Li"),
        ("Hi { Name }", "Hi Li"),
        ("Hi {Ｎａｍｅ}", "Hi Li"),
        ("Hi {Na\u200bme}", "Hi Li"),
        ("Hi {firstname}", "Hi Wei"),
        ("您好{姓名}！", "您好李！"),
        ("Order #{Amount}", "Order #5"),
        ("({Name}) [{Name}] 【{姓名}】", "(Li) [Li] 【李】"),
        ("{Amount}%", "5%"),
        ("No place [here] (or there) #tag# 100%", "No place [here] (or there) #tag# 100%"),
        ("【Shop】Hi {Name}", "【Shop】Hi Li"),
        # meant as it stands
        (r"Hi \{Name\}", "Hi {Name}"),
        (r"Hi \{{Name}\}", "Hi {Li}"),
        (r"Hi \[Name]", "Hi [Name]"),
        (r"Hi \[[Name]]", "Hi [[Name]]"),
        (r"Hi \%Name%", "Hi %Name%"),
        (r"Hi \((Name))", "Hi ((Name))"),
        (r"You owe \${Amount}", "You owe $5"),
        (r"Use \$Name", "Use $Name"),
        (r"\｛姓名\｝", "｛姓名｝"),
        (r"C:\dir \[x] \(ツ)", r"C:\dir \[x] \(ツ)"),
    ],
)
def test_text_is_filled(text: str, filled: str) -> None:
    pattern = Pattern(text, COLUMNS)
    assert (pattern.unknown, pattern.lookalikes) == ([], [])
    assert pattern.fill(ROW).text == filled


@pytest.mark.parametrize(
    ("text", "written", "corrected"),
    [
        ("Hi {{Name}}", "{{Name}}", "Hi {Name}"),
        ("Hi {{ name }}", "{{ name }}", "Hi {Name}"),
        ("Hi {{{Name}}}", "{{{Name}}}", "Hi {Name}"),
        ("Hi {{Name}", "{{Name}", "Hi {Name}"),
        ("Hi {Name}}", "{Name}}", "Hi {Name}"),
        ("您好｛Name｝", "｛Name｝", "您好{Name}"),
        ("您好｛姓名｝", "｛姓名｝", "您好{姓名}"),
        ("您好｛姓名}", "｛姓名}", "您好{姓名}"),
        ("您好{姓名｝", "{姓名｝", "您好{姓名}"),
        ("Hi ｛Nmae｝", "｛Nmae｝", "Hi {Name}"),
        ("Hi ${Name}", "${Name}", "Hi {Name}"),
        ("Hi %{Name}", "%{Name}", "Hi {Name}"),
        ("Hi [Name]", "[Name]", "Hi {Name}"),
        ("Hi [name ]", "[name ]", "Hi {Name}"),
        ("Hi [[Name]]", "[[Name]]", "Hi {Name}"),
        ("Hi [First Name]", "[First Name]", "Hi {First name}"),
        ("Hi [Frist name]", "[Frist name]", "Hi {First name}"),
        ("【姓名】您好", "【姓名】", "{姓名}您好"),
        ("Hi (Name)", "(Name)", "Hi {Name}"),
        ("Hi ((Name))", "((Name))", "Hi {Name}"),
        ("您好（姓名）", "（姓名）", "您好{姓名}"),
        ("Hi <Name>", "<Name>", "Hi {Name}"),
        ("Hi <<Name>>", "<<Name>>", "Hi {Name}"),
        ("Hi «Name»", "«Name»", "Hi {Name}"),
        ("《姓名》", "《姓名》", "{姓名}"),
        ("Hi %Name%", "%Name%", "Hi {Name}"),
        ("Hi #Name#", "#Name#", "Hi {Name}"),
        ("您好＃姓名＃", "＃姓名＃", "您好{姓名}"),
        ("Hi @Name@", "@Name@", "Hi {Name}"),
        ("Hi *|Name|*", "*|Name|*", "Hi {Name}"),
        ("Hi __Name__", "__Name__", "Hi {Name}"),
        ("Hi $Name,", "$Name", "Hi {Name},"),
        ("Hi #Name", "#Name", "Hi {Name}"),
        ("Hi {Name, welcome", "{Name", "Hi {Name}, welcome"),
    ],
)
def test_lookalike_of_a_column_is_named_and_corrected(
    text: str, written: str, corrected: str
) -> None:
    pattern = Pattern(text, COLUMNS)
    assert [one.written for one in pattern.lookalikes] == [written]
    assert corrected_text(text, COLUMNS) == corrected
    assert Pattern(corrected, COLUMNS).lookalikes == []


@pytest.mark.parametrize(
    ("text", "unknown", "corrected"),
    [
        ("Hi {Nmae}", ["Nmae"], "Hi {Name}"),
        ("Hi {Names}", ["Names"], "Hi {Name}"),
        ("Hi {Frist name}", ["Frist name"], "Hi {First name}"),
        ("Hi {Address}", ["Address"], "Hi {Address}"),
        ("Hi {{Address}}", ["Address"], "Hi {{Address}}"),
    ],
)
def test_unknown_place_is_corrected_if_a_column_is_near(
    text: str, unknown: list[str], corrected: str
) -> None:
    assert Pattern(text, COLUMNS).unknown == unknown
    assert corrected_text(text, COLUMNS) == corrected


@pytest.mark.parametrize(
    "text",
    ["5 < 7 > 3", "a [b] c", "50% off, 20% more", "(see below)", "#sale#", "Plan (A)", "{", "}{"],
)
def test_ordinary_signs_are_no_lookalikes(text: str) -> None:
    assert Pattern(text, ["A", "B"]).lookalikes == []
    assert Pattern(text, ["A", "B"]).fill([]).text == text


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("Hi {{Name}}", "{{Name}}"),
        ("您好｛姓名｝", "｛姓名｝"),
        ("${Name}", "${Name}"),
        ("Hi {Name} [x] %y%", ""),
        (r"\{{Name}\} \${Name}", ""),
        ("no braces", ""),
    ],
)
def test_odd_braces_are_found_without_columns(text: str, odd: str) -> None:
    assert odd_braces(text) == odd


@pytest.mark.parametrize("value", ["", " ", "\u200b", "\u3164", "#N/A"])
def test_value_that_shows_nothing_is_empty(value: str) -> None:
    with pytest.raises(EmptyPlaceholder):
        Pattern("Hi {Name}", ["Name"]).fill([value])


def test_invisible_characters_of_a_value_cost_nothing() -> None:
    filled = Pattern("{Name}" + "x" * 140, ["Name"]).fill(["Li\u200b"])
    assert (filled.text, filled.encoding, filled.segments) == ("Li" + "x" * 140, "gsm7", 1)
    composed = Pattern("{Name}" + "x" * 140, ["Name"]).fill(["Rene\u0301"])
    assert (composed.text[:4], composed.segments) == ("René", 1)


FORMS = (
    "{{%s}}", "{{ %s }}", "｛%s｝", "{%s｝", "${%s}", "[%s]", "[[%s]]", "((%s))", "（%s）", "<%s>",
    "<<%s>>", "«%s»", "%%%s%%", "#%s#", "*|%s|*", "【%s】", "__%s__", "$%s",
)  # fmt: skip
AROUND = st.text(st.sampled_from("abc 您好,.!\n"), max_size=12)


@given(AROUND, st.sampled_from(FORMS), st.sampled_from(["Name", "name", "姓名", "Phone"]), AROUND)
def test_any_other_writing_of_a_place_is_found_and_corrected(
    before: str, form: str, name: str, after: str
) -> None:
    text = f"{before}{form % name} {after}"
    assert Pattern(text, COLUMNS).lookalikes
    corrected = corrected_text(text, COLUMNS)
    pattern = Pattern(corrected, COLUMNS)
    assert (pattern.lookalikes, pattern.unknown) == ([], [])
    assert corrected.startswith(before)
    assert corrected.endswith(f" {after}")
    assert pattern.fill(ROW).text == corrected.replace("{Name}", "Li").replace(
        "{姓名}", "李"
    ).replace("{Phone}", ROW[0])


@given(st.text(st.sampled_from("[]()<>abc #%.,-é验"), max_size=40))
def test_text_without_a_column_name_is_sent_as_it_is(text: str) -> None:
    pattern = Pattern(text, ["Phone", "Customer"])
    assert pattern.lookalikes == []
    assert pattern.fill([]).text == text


@pytest.mark.parametrize(
    ("text", "lone"),
    [
        ("Hi {Name", "{Name"),
        ("Hi {Name, your code\nis", "{Name, your code"),
        ("Hi Name}, hello", "Name}"),
        ("Hi ｛Name", "｛Name"),
        ("Hi {Name} and {City", "{City"),
        ("Hi {Name}", ""),
        (r"Hi \{Name", ""),
        ("no braces", ""),
    ],
)
def test_brace_without_its_other_half_is_found(text: str, lone: str) -> None:
    assert lone_brace(text) == lone
