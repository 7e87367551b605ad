"""Small charts as SVG text, for reports and artifacts: no library for four kinds of picture."""

from segue.charts.pictures import lines, scatter, stacked
from segue.charts.timeline import timeline
from segue.charts.whisker import whisker

__all__ = ["lines", "scatter", "stacked", "timeline", "whisker"]
