"""The files of the page: they fit together, and hold nothing that a strict policy forbids or another host serves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import segue.web

PAGE = Path(segue.web.__file__).parent / "static" / "page"
FILES = sorted(PAGE.iterdir())
SCRIPTS = {file.name: file.read_text("utf-8") for file in FILES if file.suffix == ".js"}
INDEX = (PAGE / "index.html").read_text("utf-8")

LARGEST = 300_000
"""Bytes of all files: what a browser loads at first, without compression."""

IMPORT = re.compile(r'^(?:import|export)\b[^;]*?\bfrom "\./([^"]+)";', re.MULTILINE)

# what makes markup of text, or code of it; `style` as an attribute is refused by the policy
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\("
    r"|new Function|setAttribute\(\"style\"|setAttribute\(\"on"
)


def reached(name: str, found: set[str] | None = None) -> set[str]:
    """The scripts that one loads, itself among them."""
    found = {name} if found is None else found | {name}
    for other in IMPORT.findall(SCRIPTS[name]):
        if other not in found:
            found = reached(other, found)
    return found


def test_every_file_that_is_named_is_there() -> None:
    named = {*re.findall(r'(?:href|src)="/page/([^"]+)"', INDEX)}
    named |= {other for text in SCRIPTS.values() for other in IMPORT.findall(text)}
    assert named <= {file.name for file in FILES}, named - {file.name for file in FILES}


def test_the_first_view_is_loaded_side_by_side() -> None:
    """A script that another one imports would else be asked for only once that one has come."""
    ahead = set(re.findall(r'rel="modulepreload" href="/page/([^"]+)"', INDEX))
    assert ahead == (reached("play.js") | reached("main.js")) - {"main.js"}


def test_the_page_is_small() -> None:
    assert sum(file.stat().st_size for file in FILES) < LARGEST
    long = {file.name: lines for file in FILES if (lines := len(file.read_text("utf-8").splitlines())) > 200}
    assert long == {}


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_text_becomes_markup_or_code(name: str) -> None:
    assert FORBIDDEN.findall(SCRIPTS[name]) == []


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", INDEX) == []
    texts = {**SCRIPTS, **{file.name: file.read_text("utf-8") for file in FILES if file.suffix in (".css", ".html")}}
    hosts = {
        (name, host) for name, text in texts.items() for host in re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text)
    }
    # the name of a language, which nobody loads
    assert {host for _, host in hosts} <= {"http://www.w3.org"}, hosts
