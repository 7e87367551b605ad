"""Small charts as SVG text, for reports and artifacts: no library for two kinds of picture."""

from segue.charts.pictures import lines, scatter, stacked

__all__ = ["lines", "scatter", "stacked"]
