"""Callbacks of the two providers that send them, in odd writings.

The OTP Service's document names its parameters. HAORUI's promises reports without their format, so
these are in the forms that senders of JSON and of forms use.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

Push = tuple[str, str, bytes, str]
"""Method, query, body and Content-Type."""
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def _post(body: bytes, content_type: str) -> Push:
    return "POST", "", body, content_type


def _get(query: str) -> Push:
    return "GET", query, b"", ""


def reports(uid: str) -> dict[str, Push]:
    """Reports that all say that the message `uid`, with the id 26471304, was delivered."""
    values = {"uid": uid, "message_id": "26471304", "DLRStatus": "Delivered"}
    text = json.dumps(values)
    chinese = json.dumps(
        {**values, "DLRStatus": "已送达", "Remarks": "用户已收到"}, ensure_ascii=False
    )
    chinese_form = {**values, "DLRStatus": "已送达", "Remarks": "用户已收到"}
    raw = "&".join(f"{key}={value}" for key, value in chinese_form.items())
    pairs = urlencode(values)
    return {
        "JSON": _post(text.encode(), JSON),
        "JSON after a byte order mark": _post(b"\xef\xbb\xbf" + text.encode(), JSON),
        "JSON in UTF-16": _post(text.encode("utf-16"), JSON),
        "JSON in UTF-16 without a mark": _post(text.encode("utf-16-le"), JSON),
        "JSON in GBK": _post(chinese.encode("gbk"), f"{JSON}; charset=GBK"),
        "JSON in GB2312": _post(chinese.encode("gbk"), f'{JSON};charset="gb2312"'),
        "JSON in GBK that does not say so": _post(chinese.encode("gbk"), JSON),
        "UTF-8 that says GBK": _post(chinese.encode(), f"{JSON}; charset=GBK"),
        "UTF-8 that says Latin-1": _post(chinese.encode(), f"{JSON}; charset=ISO-8859-1"),
        "a charset that does not exist": _post(text.encode(), f"{JSON}; charset=utf-9"),
        "JSON as a form": _post(text.encode() + b"=", FORM),
        "JSON as an encoded form": _post(quote(text).encode() + b"=", FORM),
        "JSON in a field of a form": _post(b"data=" + quote(text).encode(), FORM),
        "JSON in a field of the query": _get(f"report={quote(text)}"),
        "JSON in JSON": _post(json.dumps(text).encode(), JSON),
        "JSON escaped for HTML": _post(text.replace('"', "&quot;").encode(), JSON),
        "a form": _post(pairs.encode(), FORM),
        "a form escaped for HTML": _post(pairs.replace("&", "&amp;").encode(), FORM),
        "a query escaped for HTML": _get(pairs.replace("&", "&amp;")),
        "a query with numbered escapes": _get(pairs.replace("&", "&#38;")),
        "a form in GBK": _post(urlencode(chinese_form, encoding="gbk").encode(), FORM),
        "a query in GBK": _get(urlencode(chinese_form, encoding="gbk")),
        "raw bytes of GBK in a form": _post(
            raw.encode("gbk"),
            f"{FORM}; charset=gbk",
        ),
        "an id as a fraction": _post(
            text.replace('"26471304"', "26471304.0").encode(),
            JSON,
        ),
        "only the id, as a fraction": _post(
            b'{"message_id":26471304.0,"DLRStatus":"Delivered"}',
            JSON,
        ),
        "only the id, with an exponent": _post(
            b'{"message_id":2.6471304E7,"DLRStatus":"Delivered"}',
            JSON,
        ),
        "null for our reference": _post(
            b'{"uid":"null","message_id":26471304,"DLRStatus":"Delivered"}',
            JSON,
        ),
        "the state twice": _get(f"{pairs}&dlr_status=Delivered"),
        "the state twice in two words": _get(f"{pairs}&dlr_status=DELIVRD"),
        "the id twice, as number and text": _post(
            (text[:-1] + ',"MessageId":26471304.0}').encode(),
            JSON,
        ),
        "the reference twice, once empty": _get(f"{pairs}&UID="),
        "the state in capitals": _get(pairs.replace("Delivered", "DELIVERED")),
        "the state in full width": _get(pairs.replace("Delivered", quote("ＤＥＬＩＶＲＤ"))),
        "the state between blanks": _get(pairs.replace("Delivered", "+delivered%E3%80%80")),
    }


def failures(uid: str) -> dict[str, Push]:
    """Reports that all say that the message was not delivered."""
    words = ("F", "f", " Failed ", "FAILURE", "失败", "失敗", "false", "UNDELIV", "5", "未送达")
    return {word: _get(urlencode({"uid": uid, "DLRStatus": word})) for word in words}


def verifications(eid: str) -> dict[str, Push]:
    """Callbacks of the OTP Service that all say that the SMS `eid` was sent."""
    values = {"STATUS": "SUCCESS", "MSG": "", "TYPE": "0", "CODE": "200", "MSGID": "7"}
    query = urlencode({**values, "EXTID": eid})
    lower = urlencode({name.lower(): value for name, value in values.items()} | {"extid": eid})
    return {
        "as documented": _get(query),
        "words in lower case": _get(query.replace("SUCCESS", "success")),
        "words in full width": _get(query.replace("SUCCESS", quote("ＳＵＣＣＥＳＳ"))),
        "words between blanks": _get(query.replace("SUCCESS", "+Success+")),
        "numbers as fractions": _get(query.replace("=200", "=200.0").replace("=7", "=7.0")),
        "names in lower case": _get(lower),
        "escaped for HTML": _get(query.replace("&", "&amp;")),
        "the status twice": _get(f"{query}&status=Success"),
        "a text in GBK": _get(query.replace("MSG=&", "MSG=%B3%C9%B9%A6&")),
        "0 for an id": _get(query.replace("MSGID=7", "MSGID=0")),
        "null for an id": _get(query.replace("MSGID=7", "MSGID=null")),
    }
