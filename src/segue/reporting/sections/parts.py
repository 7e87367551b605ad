"""What sections have in common: a heading with a lead, and tables that scroll where a screen is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element

from segue.reporting.markup import Child, element


def section(key: str, title: str, lead: Child, *children: Child) -> Element:
    """A part of the report."""
    return element(
        "section",
        element("h2", title, id=f"{key}-title"),
        None if lead is None else element("p", lead, class_="lead"),
        *children,
        id=key,
        aria_labelledby=f"{key}-title",
    )


def table(headings: Sequence[str], rows: Iterable[Element], *, label: str, foot: Child = None) -> Element:
    """A table whose first column is a name; it scrolls by itself where it is wider than the page.

    Args:
        headings: of the columns; one of words, not numbers, begins with `<`.
        rows: see `row`.
        label: what is read out.
        foot: below it.
    """
    head = element(
        "tr",
        *(
            element("th", one.removeprefix("<"), scope="col", class_="words" if one.startswith("<") else None)
            for one in headings
        ),
    )
    return element(
        "figure",
        element(
            "div",
            element("table", element("thead", head), element("tbody", *rows)),
            class_="wide",
            role="region",
            aria_label=label,
            tabindex="0",
        ),
        None if foot is None else element("figcaption", foot),
    )


def row(name: Child, *cells: Child, **attributes: str | None) -> Element:
    """A row of a table; cells that are elements `td` already stay."""
    made = [cell if isinstance(cell, Element) and cell.tag == "td" else element("td", cell) for cell in cells]
    return element("tr", element("th", name, scope="row"), *made, **attributes)


def wide(picture: Element, *, label: str) -> Element:
    """A picture that keeps the size of its letters, and scrolls where a screen is narrow."""
    return element("div", picture, class_="wide picture", role="region", aria_label=label, tabindex="0")
