"""Template tags and filters that all templates share."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from core import masking, punctuation, times
from core.admin import banners, labels, list_rows
from core.admin.buttons import Crumb
from core.admin.too_long import length_attributes
from core.money_lines import MoneyLine

register = template.Library()


@register.simple_tag
def state_label(kind: str, value: str) -> SafeString:
    return labels.state_label(kind, value)


@register.simple_tag
def when(moment: datetime | None, full: bool = False) -> SafeString:
    return times.when(moment, full=full)


@register.filter
def duration(span: timedelta | float | None) -> str:
    return times.duration(span)


@register.filter
def rough_duration(span: timedelta | float | None) -> str:
    return times.rough_duration(span)


@register.filter
def percent(value: object) -> str:
    return f"{value}%"


@register.filter
def remaining(span: timedelta | float) -> str:
    return times.remaining(span)


@register.filter
def amount(value: Decimal | None) -> str:
    """The amount as stated, with at least two decimals and commas; no currency sign."""
    if value is None:
        return ""
    whole, _, decimals = f"{value:,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


@register.simple_tag
def masked_number(number: str) -> SafeString:
    return masking.masked_number(number)


@register.inclusion_tag("portal/money_line.html")
def money_line(line: str) -> dict[str, Any]:
    """`{% money_line "U" %}`. Renders nothing for an empty letter."""
    return {"line": MoneyLine(line) if line else None}


@register.filter
def label_text(label: object, text: object) -> str:
    """`{{ field.label|label_text:error }}`"""
    return punctuation.label_text(label, text)


@register.filter
def in_brackets(text: object, detail: object) -> str:
    """`{{ line.verified|in_brackets:percent }}`"""
    return punctuation.in_brackets(text, detail)


@register.filter
def with_detail(text: object, detail: object) -> str:
    """`{{ person|with_detail:time }}`"""
    return punctuation.with_detail(text, detail)


@register.simple_tag
def join_sentences(*parts: object) -> str:
    """`{% join_sentences text next_step %}`"""
    return punctuation.join_sentences(*parts)


@register.simple_tag
def own_words(words: str) -> SafeString:
    """The words of a provider, with a sentence that says so."""
    text = conditional_escape(gettext("The provider's own words: “%(words)s”"))
    return SafeString(text % {"words": foreign_text(words)})


@register.filter
def data(value: object) -> SafeString:
    """Data of people and providers, which a browser must not translate."""
    return masking.data(value)


@register.simple_tag
def foreign_text(text: object) -> SafeString:
    """Text from outside, isolated so that its direction cannot affect the line around it."""
    return format_html('<bdi class="foreign" dir="auto" translate="no">{}</bdi>', visible(text))


@register.filter
def visible(text: object) -> str:
    """Replace control characters by their Unicode pictures; keep line breaks and tabs."""
    return "".join(_picture(character) for character in str(text))


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20 and character not in "\n\t":
        return "" if character == "\r" else chr(0x2400 + code)
    return "\u2421" if code == 0x7F else character


@register.simple_tag(takes_context=True)
def page_trail(context: template.Context) -> list[Crumb]:
    """The breadcrumbs that the view set, or those derived from its model."""
    trail = context.get("trail")
    if trail is not None:
        return list(trail)
    opts = context.get("opts")
    if opts is None:
        return [Crumb(context.get("title") or "")]
    name = f"admin:{opts.app_label}_{opts.model_name}_changelist"
    crumbs = [Crumb(capfirst(str(opts.verbose_name_plural)), reverse(name))]
    thing = context.get("original") or context.get("object")
    if thing:
        crumbs.append(Crumb(str(thing)))
    elif context.get("title"):
        crumbs.append(Crumb(context["title"]))
    return crumbs


@register.filter
def as_attributes(values: dict[str, Any]) -> SafeString:
    """`{{ widget.attrs|as_attributes }}`: what Django's template for it writes, at a tenth.

    Without "maxlength", with which the browser cuts a pasted text. The form says that it is too
    long.
    """
    return SafeString(
        "".join(
            f" {name}" if value is True else f' {name}="{conditional_escape(value)}"'
            for name, value in values.items()
            if value is not False and name != "maxlength"
        )
    )


@register.simple_tag
def at_most(longest: int) -> SafeString:
    """`<input {% at_most 200 %}>`: more is refused in words beside the field."""
    return length_attributes(longest)


@register.simple_tag(takes_context=True)
def page_title(context: template.Context) -> str:
    """The document's title, marked as an error if the form has errors."""
    title = str(context.get("title") or "")
    form = context.get("form")
    faulty = context.get("errors") or (form is not None and getattr(form, "errors", None))
    if faulty:
        return gettext("Error: %(title)s") % {"title": title}
    return title


@register.simple_tag(takes_context=True)
def current_path(context: template.Context) -> str:
    """The URL to return to after a change of language."""
    request: HttpRequest | None = context.get("request")
    return request.get_full_path() if request else "/"


@register.inclusion_tag("portal/banner_zone.html", takes_context=True)
def banner_zone(context: template.Context) -> dict[str, Any]:
    return banners.zone_context(context["request"])


@register.inclusion_tag("portal/list_table.html")
def list_table(changelist: Any) -> dict[str, Any]:
    headers = list_rows.headers_of(changelist)
    return {
        "cl": changelist,
        "result_headers": headers,
        "num_sorted_fields": sum(bool(one.get("sorted")) for one in headers),
        "rows": SafeString("".join(list_rows.rows_of(changelist, headers))),
    }
