"""The dashboard in a browser on this machine: textual-serve behind a one-time token, a cookie and checks of origin.

Any web page can send requests to a loopback port, and textual-serve asks nobody who they are. So: the address that is
printed holds a token that works once and is exchanged for a cookie; every request must name this very host (or a
foreign name could be pointed here), and come from this page if the browser says where it comes from.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiohttp import web
from textual_serve.server import Server

HOST: Final = "127.0.0.1"
_SITE: Final = ("same-origin", "none")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """A guard that admits whoever brings the token, once, and then whoever brings the cookie given for it.

    Args:
        port: the port that is served.

    Attributes:
        token: for the first visit; None once it was used.
    """

    def __init__(self, port: int) -> None:
        self.token: str | None = secrets.token_urlsafe(32)
        self._origin = f"http://{HOST}:{port}"
        self._host = f"{HOST}:{port}"
        # Cookies know no ports: another server on this host must not be handed ours under its own name.
        self._cookie_name = f"fetalstream-{port}"
        self._cookie = secrets.token_urlsafe(32)

    @property
    def address(self) -> str:
        """The address to open in a browser, which works once."""
        return f"{self._origin}/?token={self.token}"

    def refusal(self, request: web.Request) -> str | None:
        """Return why a request is refused whoever sent it; None if its origin is this page."""
        if request.host != self._host:
            return f"open it as {self._origin}"
        origin = request.headers.get("Origin")
        websocket = request.path == "/ws"
        if (origin is None and websocket) or origin not in (None, self._origin):
            return "another page may not use this dashboard"
        # The first visit comes from nowhere or from any link; nothing else may be asked for by another site.
        if request.headers.get("Sec-Fetch-Site", "none") not in _SITE and request.path != "/":
            return "another page may not use this dashboard"
        return None

    def has_cookie(self, request: web.Request) -> bool:
        """Return whether the request brings the cookie."""
        return hmac.compare_digest(request.cookies.get(self._cookie_name, "").encode(), self._cookie.encode())

    def admit(self, request: web.Request) -> web.Response | None:
        """Return a response that sets the cookie if the request brings the token, which is then used up; else None."""
        given = request.query.get("token", "")
        if request.path != "/" or self.token is None or not hmac.compare_digest(given.encode(), self.token.encode()):
            return None
        self.token = None
        # Redirected, so that the token is in no history and no referrer.
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self._cookie_name, self._cookie, httponly=True, samesite="Strict", path="/")
        return response

    @property
    def middleware(self) -> Any:
        """The aiohttp middleware that refuses requests without token or cookie."""

        @web.middleware
        async def guarded(request: web.Request, handler: _Handler) -> web.StreamResponse:
            refused = self.refusal(request)
            if refused is None and (admitted := self.admit(request)) is not None:
                return _hardened(admitted, self._origin)
            if refused is None and not self.has_cookie(request):
                refused = "this address has been used: start fetalstream watch --web again for a new one"
            if refused is not None:
                return _hardened(web.Response(status=403, text=f"{refused}\n"), self._origin)
            response = await handler(request)
            return response if response.prepared else _hardened(response, self._origin)

        return guarded


def _hardened(response: web.StreamResponse, origin: str) -> web.StreamResponse:
    """Forbid the browser to load anything from elsewhere (textual-serve asks for a font), to frame or to keep it."""
    own = "'self' 'unsafe-inline'"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src {own}; style-src {own}; img-src 'self' data:; font-src 'self' data:; "
        f"connect-src 'self' {origin.replace('http', 'ws', 1)}; frame-ancestors 'none'"
    )
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


class GuardedServer(Server):
    """The server of textual-serve with the guard in front of everything, and no output of its own."""

    def __init__(self, command: str, port: int, guard: Guard) -> None:
        super().__init__(command, host=HOST, port=port, title="fetalstream")
        self._guard = guard

    async def application(self) -> web.Application:
        """Return the aiohttp application behind the guard."""
        app = await self._make_app()
        app.middlewares.append(self._guard.middleware)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing: `serve` prints the address with the token."""


def serve(arguments: Sequence[str], say: Callable[[str], None], port: int | None = None) -> None:
    """Serve ``fetalstream watch`` to a browser on this machine until a signal comes.

    Args:
        arguments: what follows ``fetalstream``.
        say: gets the address to open.
        port: on the loopback interface; None for any that is free.

    Raises:
        OSError: the port is taken.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port or 0))
        taken = int(listening.getsockname()[1])
        guard = Guard(taken)
        server = GuardedServer(command(arguments), taken, guard)
        say(f"Open this address in a browser on this machine; it works once:\n{guard.address}\nCtrl+C ends it.")
        web.run_app(server.application(), sock=listening, print=None, access_log=None)


def command(arguments: Sequence[str]) -> str:
    """Return the shell's command line that draws one browser's dashboard."""
    # It must find the modules that this process found, not what lies in the current folder.
    script = f"import sys; sys.path[:] = {sys.path!r}; from fetalstream.tui.cli import main; sys.exit(main())"
    return shlex.join([sys.executable, "-c", script, *arguments])
