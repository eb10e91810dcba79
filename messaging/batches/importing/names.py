"""Compare names of columns as readers see them, and recognise names of phone number columns."""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from typing import Final

EXCEL_TEXT: Final = re.compile(r'="((?:[^"]|"")*)"')
"""A formula that exports write so that a spreadsheet keeps leading zeros: ="007"."""
LONGEST_NAME: Final = 64


def fold(name: str) -> str:
    """The form in which two writings of one name are equal.

    Width, case, composition, invisible characters and blanks make no difference.
    """
    return visible(unicodedata.normalize("NFKC", name)).casefold()


def visible(name: str) -> str:
    """The name in composed form, without invisible characters and surplus blanks."""
    composed = unicodedata.normalize("NFC", name)
    shown = "".join(sign for sign in composed if unicodedata.category(sign) != "Cf")
    return " ".join(shown.split())


def unwrapped(cell: str) -> str:
    """The cell without the formula that keeps it a text."""
    found = EXCEL_TEXT.fullmatch(cell) if cell.startswith('="') else None
    return found[1].replace('""', '"') if found else cell


class Naming(IntEnum):
    """How clearly a heading names a column of phone numbers; more is clearer."""

    OTHER = 0
    """Something else with digits, such as an order number."""
    NONE = 1
    PHONE_OF_ANOTHER = 2
    """A phone number, but hardly the recipient's: a sender's, an emergency contact's."""
    PHONE = 3
    MOBILE = 4


_MOBILE_WORDS: Final = re.compile(
    r"(?:mobil|mobtel|movil|móvil|celular|cellul|cellphone|msisdn|smartphone|handphone|handy|whatsapp)\w*"
    r"|cells?|hp|gsm|sms|мобил\w*|сотов\w*"
)
_PHONE_WORDS: Final = re.compile(
    r"\w*phones?|phoneno|(?:tele)?phonenum\w*|tel|tels|telno|tele?f[oóô]n\w*|t[eé]l[eé]phone\w*"
    r"|puhelin\w*|тел|телефон\w*"
)
_CJK_MOBILE: Final = re.compile("手机|手機|移动电话|行動電話|携帯|휴대폰|휴대전화|핸드폰")
_CJK_PHONE: Final = re.compile("电话|電話|联系方式|聯絡方式|联系号码|接收号码|收信号码|전화|연락처")
_NO_NUMBER: Final = re.compile(
    r"型号|型號|品牌|机型|運營商|运营商|归属地|歸屬地|话费|電話費|电话费|套餐|备注"
)
_NO_NUMBER_WORDS: Final = frozenset(
    [
        "type",
        "model",
        "brand",
        "carrier",
        "operator",
        "provider",
        "os",
        "version",
        "verified",
        "valid",
        "valido",
        "status",
        "ok",
        "country",
        "code",
        "prefix",
        "plan",
        "bill",
        "fee",
        "cost",
        "usage",
        "count",
        "calls",
        "data",
        "extension",
        "ext",
        "app",
        "opt",
        "optin",
        "consent",
        "date",
        "time",
        "label",
        "kind",
        "name",
        "note",
        "notes",
    ]
)
_OTHER_WORDS: Final = frozenset(
    [
        "order",
        "orders",
        "account",
        "acct",
        "invoice",
        "tracking",
        "card",
        "passport",
        "policy",
        "contract",
        "ticket",
        "booking",
        "reservation",
        "serial",
        "membership",
        "case",
        "reference",
        "ref",
        "id",
        "uid",
        "imei",
        "iban",
        "bank",
        "fax",
        "amount",
        "balance",
        "price",
        "total",
        "zip",
        "postcode",
        "vat",
        "tax",
        "waybill",
        "parcel",
        "barcode",
        "sku",
        "po",
        "pedido",
        "cuenta",
        "factura",
        "commande",
        "compte",
        "rechnung",
        "auftrag",
        "konto",
        "kunde",
        "bestell",
    ]
)
_PERSON_WORDS: Final = frozenset(
    ["customer", "client", "member", "user", "guest", "patient", "student", "kunden"]
)
_NUMBER_WORDS: Final = frozenset(
    ["number", "numbers", "no", "nr", "num", "nummer", "numero", "número", "id", "code"]
)
_CJK_OTHER: Final = re.compile(
    "订单|訂單|单号|單號|账号|帳號|账户|帳戶|卡号|卡號|身份证|證件|证件|护照|編號|编号|序号|会员号"
    "|发票|合同|运单|快递|流水|传真|傳真|注文|口座|金额|金額|余额|邮编|주문|계좌"
)
_ANOTHER_WORDS: Final = frozenset(
    [
        "sender",
        "emergency",
        "agent",
        "driver",
        "courier",
        "office",
        "work",
        "company",
        "business",
        "home",
        "landline",
        "manager",
        "store",
        "shop",
        "seller",
        "support",
        "alternate",
        "alternative",
        "secondary",
        "backup",
        "guardian",
        "referrer",
        "emisor",
        "fijo",
        "festnetz",
    ]
)
_CJK_ANOTHER: Final = re.compile(
    "寄件|发件|寄送人|紧急|緊急|备用|備用|固定|座机|办公|单位|公司|经办|门店|商家|客服|司机|快递员"
    "|推荐人|家庭"
)
_BLANK: Final = re.compile(r"[\W_]+")
_COMPOUND: Final = re.compile(r"\w{2,}(?:nummer|number)")
_PIECES: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|[\W_]+")


def naming_of(heading: str) -> Naming:
    """What a heading says about its column. “Number” alone says nothing."""
    shown = visible(unicodedata.normalize("NFKC", heading))[:LONGEST_NAME]
    if not shown:
        return Naming.NONE
    text = shown.casefold()
    words = [word.casefold() for word in _PIECES.split(shown) if word]
    if _names_something_about_phones(words, text):
        return Naming.NONE
    named = _phone_naming({*words, *_BLANK.split(text)}, text)
    if _names_another_number(words, text):
        return Naming.OTHER
    another = _ANOTHER_WORDS.intersection(words) or _CJK_ANOTHER.search(text)
    return Naming.PHONE_OF_ANOTHER if another and named is not Naming.NONE else named


def _names_another_number(words: list[str], text: str) -> bool:
    """Whether it names an order number or the like. The last noun decides: not “order phone”."""
    others = [found.end() for found in _CJK_OTHER.finditer(text)]
    phones = [found.end() for found in (*_CJK_MOBILE.finditer(text), *_CJK_PHONE.finditer(text))]
    if others:
        return max(others) > max(phones, default=0)
    nouns = [word for word in words if word not in _NUMBER_WORDS]
    last = nouns[-1] if nouns else ""
    if last in _OTHER_WORDS or (last in _PERSON_WORDS and last != words[-1]):
        return True
    compound = _COMPOUND.fullmatch(last)
    return compound is not None and _phone_naming({last}, last) is Naming.NONE


def _phone_naming(words: set[str], text: str) -> Naming:
    if _CJK_MOBILE.search(text) or any(_MOBILE_WORDS.fullmatch(word) for word in words):
        return Naming.MOBILE
    if _CJK_PHONE.search(text) or any(_PHONE_WORDS.fullmatch(word) for word in words):
        return Naming.PHONE
    return Naming.NONE


def _names_something_about_phones(words: list[str], text: str) -> bool:
    """Whether the heading names a property of a phone, such as its model, or another number."""
    if _NO_NUMBER.search(text):
        return True
    # The last word decides: a “phone model” is a model, a “model phone” a phone.
    last = words[-1] if words else ""
    return last in _NO_NUMBER_WORDS and len(words) > 1
