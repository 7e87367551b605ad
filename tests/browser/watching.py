"""What a page must not do while it is looked at, and a browser that sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, Response, Route

VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => violated(`${event.effectiveDirective} ${event.blockedURI}`));
"""


class Watched:
    """A context of a browser without a network but for one server.

    Attributes:
        address: of the server.
        troubles: what went wrong so far, each with its kind first: `console`, `page`, `policy`, `request`, `answer`,
            `network`, `dialog`.
    """

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.troubles: list[str] = []
        self._expected: list[str] = []
        context.set_default_timeout(10_000)
        context.route(lambda url: not url.startswith(f"{address}/"), self._abroad)
        context.expose_binding("violated", lambda _, said: self.troubles.append(f"policy: {said}"))
        context.add_init_script(VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.troubles.append(f"page: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("dialog", self._dialog)
        self.context = context

    def expect(self, pattern: str) -> None:
        """Have a test fail unless such a trouble comes, and not because of it."""
        self._expected.append(pattern)

    def check(self) -> None:
        """Raise AssertionError where something went wrong, or what was to go wrong did not."""
        left = [one for one in self.troubles if not any(re.search(known, one) for known in self._expected)]
        assert not left, "\n".join(left)
        missing = [one for one in self._expected if not any(re.search(one, trouble) for trouble in self.troubles)]
        assert not missing, f"expected, and did not come: {missing}"

    def open(self, path: str = "/") -> Page:
        """A page of the server."""
        page = self.context.new_page()
        page.goto(f"{self.address}{path}")
        return page

    def _abroad(self, route: Route) -> None:
        self.troubles.append(f"network: {route.request.url}")
        route.abort()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.troubles.append(f"console: {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        # a page that asks anew gives up what it had asked before
        if request.failure != "net::ERR_ABORTED" or request.resource_type not in ("fetch", "document"):
            self.troubles.append(f"request: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"answer: {response.status} {response.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()
