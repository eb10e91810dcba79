"""Charts without a library: SVG that the server draws, words beside it, and the same as a table.

A chart has slots (hours, days, accounts) and series with a value for each. `{% chart it %}` of
`core.templatetags.charts` renders it. None is what has not happened yet or is not known: nothing is
drawn there. The drawing is hidden from screen readers, which read the table.
"""

from .bases import Series, Slot, Threshold, Tick, even_ticks, grouped
from .lines import Lines
from .meters import Meter
from .shares import Share, Shares
from .sparklines import Sparkline, on_one_scale
from .stacked_bars import StackedBars
from .time_ticks import day, day_ticks, share_between

__all__ = [
    "Lines",
    "Meter",
    "Series",
    "Share",
    "Shares",
    "Slot",
    "Sparkline",
    "StackedBars",
    "Threshold",
    "Tick",
    "day",
    "day_ticks",
    "even_ticks",
    "grouped",
    "on_one_scale",
    "share_between",
]
