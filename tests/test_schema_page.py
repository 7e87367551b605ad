"""The page that shows the API: all of it comes from this server, and nothing it shows is taken for markup."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from litestar.testing import TestClient

from page_scripts import NODE
from segue.web.app import create_app
from serving_models import engine_of


class Tags(HTMLParser):
    """The tags of a page with their attributes, and what its labels are for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in ("script", "style"):
            self.scripts += data.strip()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(engine_of())) as opened:
        yield opened


def test_the_page_loads_its_own_parts_alone_and_runs_nothing_inline(client: TestClient) -> None:
    answer = client.get("/schema")
    tags = Tags(answer.text)
    assert tags.scripts == ""
    loaded = [given for _, attributes in tags.found for name in ("src", "href") if (given := attributes.get(name))]
    assert {given for given in loaded if not given.startswith(("#", "data:,"))} == {
        "/schema/page.css",
        "/schema/page.js",
        "/schema/openapi.json",
    }
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith(("on", "style"))]


def test_the_page_is_read_without_eyes_or_mouse(client: TestClient) -> None:
    tags = Tags(client.get("/schema").text)
    assert ("html", {"lang": "en"}) in tags.found
    assert {"title", "h1", "main", "nav", "label"} <= {tag for tag, _ in tags.found}
    labelled = {attributes["for"] for tag, attributes in tags.found if tag == "label"}
    assert {attributes["id"] for tag, attributes in tags.found if tag == "input"} == labelled
    assert any(attributes.get("role") == "status" for _, attributes in tags.found)


def test_what_the_server_says_never_becomes_markup(client: TestClient) -> None:
    script = client.get("/schema/page.js").text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|new Function", script)


DRAWN = """
import { readFileSync } from "node:fs";

class Made {
  constructor(name) { Object.assign(this, { name, children: [], listeners: {}, attributes: {} }); }
  append(...given) { this.children.push(...given); }
  replaceChildren(...given) { this.children = given; }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  get text() { return (this.textContent ?? "") + this.children.map((one) => one.text ?? one).join(" "); }
  *all() { yield this; for (const one of this.children) if (one.all) yield* one.all(); }
}
const ids = ["key", "state", "index", "routes", "types", "access"];
const named = Object.fromEntries(ids.map((id) => [id, new Made(id)]));
named.key.value = "";
const every = () => Object.values(named).flatMap((one) => [...one.all()]);
globalThis.document = {
  createElement: (name) => new Made(name),
  getElementById: (id) => named[id] ?? every().find((one) => one.id === id),
};
const asked = [];
globalThis.fetch = async (url, options) => {
  asked.push([options.method ?? "GET", url, options.body]);
  const text = url.endsWith("openapi.json") ? readFileSync(process.argv[3], "utf8") : '{"events": 3}';
  return { ok: true, status: 200, statusText: "OK", text: async () => text, json: async () => JSON.parse(text) };
};
await import(process.argv[2]);
await new Promise((done) => setTimeout(done, 50));
const input = every().find((one) => one.id === "forget-user_id");
input.value = "a/b <i>";
every().find((one) => one.id === "search-search").value = "a&b é";
for (const id of ["forget", "search"]) {
  const article = named.routes.children.find((one) => one.children[0].id === id);
  await article.children.find((one) => one.name === "form").listeners.submit({ preventDefault() {} });
}
const body = every().find((one) => one.id === "events-body");
const labels = every().filter((one) => one.name === "label").map((one) => one.htmlFor);
const controls = every().filter((one) => ["input", "textarea"].includes(one.name)).map((one) => one.id);
console.log(JSON.stringify({
  state: named.state.textContent, asked, body: body.value, labels, controls,
  routes: named.routes.text, types: named.types.text,
}));
"""


def test_the_script_draws_every_route_and_sends_what_is_typed(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "page.mjs").write_bytes(client.get("/schema/page.js").content)
    (tmp_path / "openapi.json").write_bytes(client.get("/schema/openapi.json").content)
    (tmp_path / "drawn.mjs").write_text(DRAWN)
    ran = subprocess.run(
        [NODE, "drawn.mjs", "./page.mjs", "openapi.json"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ran.stderr == ""
    drawn = json.loads(ran.stdout)
    assert drawn["state"] == "13 routes, version 1"
    for shown in ("POST /v1/events", "DELETE /v1/users/{user_id}", "409", "EventsAnswer", "GET /health/ready"):
        assert shown in drawn["routes"]
    assert "characters from 1, to 1024" in drawn["types"]
    assert drawn["labels"] == drawn["controls"], "each control has its label"
    assert json.loads(drawn["body"])["events"][0]["user_id"] == "anna"
    assert drawn["asked"][1] == ["DELETE", "/v1/users/a%2Fb%20%3Ci%3E", None]
    assert drawn["asked"][2] == ["GET", "/v1/items?search=a%26b+%C3%A9", None]
