"""The page that shows the API to people: a document, a style and a script, all of this server."""

from __future__ import annotations

from pathlib import Path

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

PAGES = {
    "/schema": ("schema.html", "text/html"),
    "/schema/page.css": ("page.css", "text/css"),
    "/schema/page.js": ("page.js", "text/javascript"),
}
"""Where each is, its file and its type. They say nothing of this server: they need no key, the description does."""

HEADERS = {
    # whatever ids the answers hold: nothing of another host is loaded, and nothing is sent there
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_handlers() -> list[HTTPRouteHandler]:
    """A handler a page."""
    folder = Path(__file__).parent / "static"
    return [handler_of(path, (folder / file).read_bytes(), kind) for path, (file, kind) in PAGES.items()]


def handler_of(path: str, content: bytes, kind: str) -> HTTPRouteHandler:
    """The handler that gives this content."""

    @get(path, sync_to_thread=False)
    def page() -> Response[bytes]:
        """Give a part of the page."""
        return Response(content, media_type=kind, headers=HEADERS)

    return page
