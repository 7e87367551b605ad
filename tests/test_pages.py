"""The files of the pages: what is given, to whom, and what a browser is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from litestar.testing import TestClient

from live_server import live_server
from segue.web.app import create_app
from segue.web.counts import Counts
from segue.web.guard import Guard
from segue.web.keys import Keys, add_key
from segue.web.pages import KINDS, PAGES, STATIC
from serving_models import engine_of

OUTSIDE = [
    "..",
    "../app.py",
    "../../app.py",
    "..\\app.py",
    "../schema/x.js",
    "/etc/passwd",
    "index.html/",
    "",
    ".",
    "x.js",
]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(engine_of())) as opened:
        yield opened


def test_every_file_that_comes_with_the_package_is_given_at_one_path() -> None:
    packaged = files("segue").joinpath("web", "static")
    there = {Path(str(file)) for folder in packaged.iterdir() for file in folder.iterdir()}
    assert there == set(PAGES.values()), "a file of another kind needs its type in KINDS"
    assert {"/", "/page/index.html", "/schema", "/schema/page.js"} <= PAGES.keys()


@pytest.mark.parametrize("path", PAGES)
def test_each_is_given_with_its_type_and_names_no_other_host(client: TestClient, path: str) -> None:
    answer, file = client.get(path), PAGES[path]
    assert answer.status_code == 200
    kind = KINDS[file.suffix]
    assert answer.headers["content-type"] == (f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    assert answer.content == file.read_bytes()
    # the name of a vocabulary of elements is no address: nothing is asked there
    text = answer.text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"//[\w-]+\.|https?:|@import|url\(", text) or file.suffix not in (".html", ".css", ".js")


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_loads_parts_of_this_server_alone_and_runs_nothing_inline(client: TestClient, path: str) -> None:
    answer = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[kind] for kind in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert {policy[kind] for kind in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_one_who_has_it_is_told_so_and_sent_nothing(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert "content-security-policy" in again.headers
    for given in ('"x"', tag[:-2] + '"', ""):
        assert client.get(path, headers={"If-None-Match": given}).content == first.content


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("quoted", [str, lambda name: quote(name, safe=""), lambda name: name.replace(".", "%2e")])
def test_nothing_outside_of_the_folder_is_given(client: TestClient, name: str, quoted) -> None:
    sent = httpx.URL(scheme="http", host="testserver.local", raw_path=b"/page/" + quoted(name).encode())
    answer = client.send(httpx.Request("GET", sent))
    # a slash at the end and two dots mean something to clients and the framework: a page, at most
    assert answer.status_code == 404 or answer.content in {file.read_bytes() for file in PAGES.values()}
    assert answer.status_code == 404 or not name.endswith((".py", ".js"))


def test_the_pages_need_no_key_and_what_they_ask_does(tmp_path: Path) -> None:
    add_key(tmp_path / "keys.toml", "shop")
    app = Guard(create_app(engine_of()), keys=Keys(tmp_path / "keys.toml"))
    with TestClient(app) as client:
        assert {client.get(path).status_code for path in PAGES} == {200}
        asked = ("/schema/openapi.json", "/schema/", "/schema/x", "/page", "/page/", "/page/x.js", "/v1/recommend")
        assert {client.get(path).status_code for path in asked} == {401}


def test_the_files_of_the_page_are_counted_as_one_route() -> None:
    counts = Counts(engine_of())
    with TestClient(Guard(create_app(engine_of()), counts=counts)) as client:
        for path in ("/", *(path for path in PAGES if path.startswith("/page/")), "/page/x"):
            client.get(path)
    routes = set(re.findall(r'segue_requests_total\{route="([^"]+)"', counts.text().decode()))
    assert routes == {"/", "/page/{file}", "other"}


def test_a_server_says_of_a_file_what_it_is_without_sending_it(tmp_path: Path) -> None:
    with live_server(tmp_path) as live, httpx.Client(base_url=live.address, timeout=60) as client:
        length = str((STATIC / "page" / "index.html").stat().st_size)
        for path in ("/", "/page/index.html"):
            asked = client.head(path)
            assert (asked.status_code, asked.content, asked.headers["content-length"]) == (200, b"", length)
            assert asked.headers["content-type"] == "text/html; charset=utf-8"
            tag = {"If-None-Match": asked.headers["etag"]}
            for method in ("GET", "HEAD"):  # one connection: what would be a body would spoil the next answer
                answer = client.request(method, path, headers=tag)
                assert (answer.status_code, answer.content) == (304, b"")
        assert client.get("/").text.startswith("<!doctype html>")
        refused = client.post("/", content=b"{}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (405, "method_not_allowed")
