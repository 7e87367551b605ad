"""HTML out of elements: text is escaped because there is no other way in."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from typing import TypeAlias
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from segue.charts.marks import UNWRITABLE

LONGEST = 90
"""Letters of a title or an id that are shown."""

Child: TypeAlias = "Element | str | Iterable[Child] | None"


def element(tag: str, *children: Child, **attributes: str | bool | None) -> Element:
    """An element with its children; `class_` is `class`, `data_model` is `data-model`, None and False are left out.

    >>> tostring(element("p", "a < b", element("b", "c"), class_="x"), encoding="unicode", method="html")
    '<p class="x">a &lt; b<b>c</b></p>'
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            made.set(name.rstrip("_").replace("_", "-"), "" if value is True else clean(value))
    fill(made, children)
    return made


def fill(parent: Element, children: Iterable[Child]) -> None:
    """Put children into an element, text where it belongs."""
    for child in children:
        if isinstance(child, str):
            text = clean(child)
            if len(parent):
                parent[-1].tail = (parent[-1].tail or "") + text
            else:
                parent.text = (parent.text or "") + text
        elif isinstance(child, Element):
            parent.append(child)
        elif child is not None:
            fill(parent, child)


def clean(text: str) -> str:
    """Text without what no document has a place for."""
    return UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def clamped(text: str, longest: int = LONGEST) -> str:
    """Text on one line, cut where it is long.

    >>> clamped("abcdef", 4), clamped("a  b", 4)
    ('abc…', 'a b')
    """
    line = " ".join(text[: 8 * longest].split())
    return line if len(line) <= longest and len(text) <= 8 * longest else line[: longest - 1].rstrip() + "…"


def name_of(text: str) -> Element:
    """A title or an id as people wrote it: whatever its direction, what stands around it keeps its own."""
    return element("bdi", clamped(text))


def picture(svg: str, kind: str | None = None) -> Element:
    """A picture of `segue.charts` as an element."""
    made = fromstring(svg)
    for one in made.iter():
        one.tag = one.tag.rpartition("}")[2]
        one.tail = None
    if kind is not None:
        made.set("class", kind)
    return made


def document(title: str, body: Iterable[Child], style: str) -> str:
    """A whole page that loads nothing and runs nothing: the browser is told so."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = element("html", lang="en")
    head = SubElement(page, "head")
    head.append(element("meta", charset="utf-8"))
    head.append(element("meta", **{"http-equiv": "Content-Security-Policy", "content": policy}))
    head.append(element("meta", name="viewport", content="width=device-width, initial-scale=1"))
    head.append(element("meta", name="color-scheme", content="light dark"))
    head.append(element("meta", name="generator", content="segue"))
    head.append(element("title", title))
    head.append(element("style", style))
    page.append(element("body", *body))
    return "<!doctype html>\n" + tostring(page, encoding="unicode", method="html") + "\n"
