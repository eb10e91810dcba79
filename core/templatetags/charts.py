"""`{% load charts %}{% chart it %}`"""

from __future__ import annotations

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from core.admin.charts import Lines, Meter, Shares, Sparkline, StackedBars

register = template.Library()


@register.simple_tag
def chart(drawing: StackedBars | Lines | Meter | Shares | Sparkline) -> SafeString:
    return render_to_string(drawing.template, {"chart": drawing})
