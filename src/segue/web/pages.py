"""The pages for people: at `/` what the model recommends, at `/schema` the API. All of it comes from this server."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

STATIC = Path(__file__).parent / "static"

KINDS = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
"""The type of a file by its ending; the framework says UTF-8 of texts. What has no type here is given to nobody."""


def found_in(folder: Path) -> dict[str, Path]:
    """The files of a folder by the path that each has here; nothing else in it, or beside it, has one."""
    return {f"/page/{file.name}": file for file in sorted(folder.iterdir()) if file.suffix in KINDS}


PAGES = {
    "/": STATIC / "page" / "index.html",
    **found_in(STATIC / "page"),
    "/schema": STATIC / "schema" / "schema.html",
    "/schema/page.css": STATIC / "schema" / "page.css",
    "/schema/page.js": STATIC / "schema" / "page.js",
}
"""The file at each path. They say nothing of this server: they need no key, what they ask the server does."""

HEADERS = {
    # whatever ids and titles the answers hold: nothing of another host is loaded, and nothing is sent there
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "font-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    # nor does any text become markup, whatever a script of ours would do with it
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # a browser asks again each time, and is told that it has the newest: a page never runs beside an older script
    "Cache-Control": "no-cache",
}


def page_handlers() -> list[HTTPRouteHandler]:
    """A handler a path. The files are read now, and not again."""
    return [handler_of(path, file.read_bytes(), KINDS[file.suffix]) for path, file in PAGES.items()]


def handler_of(path: str, content: bytes, kind: str) -> HTTPRouteHandler:
    """The handler that gives this content, or says that the asker has it."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**HEADERS, "ETag": tag}

    @get(path, sync_to_thread=False)
    def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Give a part of a page."""
        if holds(request.headers.get("if-none-match", ""), tag):
            return Response(b"", status_code=304, media_type=kind, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    return page


def holds(given: str, tag: str) -> bool:
    """Whether what an asker has, as `If-None-Match` says it, is what has this tag."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in given.split(","))
