"""Behind reverse proxies that the settings name, whoever spoke to them is the sender."""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from doorward.platform.addresses import Network, sender_behind


class Proxies:
    """Puts the sender whom a trusted proxy names into the place of the proxy; nobody else is believed."""

    def __init__(self, app: ASGIApp, *, trusted: Collection[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on with the true sender."""
        if scope["type"] == "http" and scope.get("client"):
            peer, port = scope["client"]
            said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
            sender = sender_behind(peer, said, self._trusted)
            scope = {**scope, "client": (sender, port if sender == peer else 0)}
        await self._app(scope, receive, send)
