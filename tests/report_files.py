"""A report as tests read it: its elements, its text, what it refers to."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

VOID = {"meta", "br", "hr", "img", "link", "input"}
REFERS = {"src", "href", "srcset", "action", "data", "poster", "background", "xlink:href", "style"}


class Page(HTMLParser):
    """Elements in order, each (tag, attributes, text), text being that of all that is in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.unclosed = 0
        self.feed(text)
        self.close()
        assert not self._open, [tag for tag, *_ in self._open]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        one: tuple[str, dict[str, str], list[str]] = (tag, {key: value or "" for key, value in attrs}, [])
        self.elements.append(one)
        if tag not in VOID:
            self._open.append(one)

    def handle_endtag(self, tag: str) -> None:
        found, *_ = self._open.pop()
        assert found == tag, f"<{found}> ends as </{tag}>"

    def handle_data(self, data: str) -> None:
        for _, _, text in self._open:
            text.append(data)

    def of(self, tag: str, **attributes: str) -> list[str]:
        """The text of the elements that have these attributes."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return ["".join(text) for name, found, text in self.elements if name == tag and wanted.items() <= found.items()]

    def rows(self, key: str) -> dict[str, dict[str, str]]:
        """Cells by their metric, of the rows whose attribute `key` has a value, by that value."""
        found: dict[str, dict[str, str]] = {}
        current: dict[str, str] = {}
        for name, attributes, text in self.elements:
            if name == "tr":
                current = found.setdefault(attributes[key], {}) if key in attributes else {}
            for mark in ("data-metric", "data-of", "data-test"):
                if mark in attributes:
                    current[attributes[mark] if mark != "data-test" else "test"] = "".join(text)
        return found

    def references(self) -> list[str]:
        """What the page would load or lead to, but for places in itself."""
        found = []
        for _, attributes, _ in self.elements:
            found += [f"{key}={value}" for key, value in attributes.items() if key in REFERS and value[:1] != "#"]
            found += [key for key in attributes if key.startswith("on")]
        return found


def read(file: Path) -> Page:
    """A report, of which it is certain that it loads nothing and runs nothing."""
    text = file.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    page = Page(text)
    assert page.references() == []
    assert not {"script", "iframe", "object", "embed", "link", "base", "form", "img"} & {
        tag for tag, *_ in page.elements
    }
    (style,) = page.of("style")
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = (found["content"] for tag, found, _ in page.elements if found.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    return page
