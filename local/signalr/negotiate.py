"""Negotiation: who may connect, under which id, within the next seconds.

Source: the SignalR transport protocol specification; the service's troubleshooting guide for
the five seconds.
"""

import re
import secrets
import time
from collections.abc import Callable

from aiohttp import web

from local.signalr.connection import Ticket
from local.signalr.tokens import Identity, TokenError, check_audience, identify, verify

_HUB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}")
_TRANSPORTS = [
    {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
    {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
]


class Tickets:
    """The connections that were negotiated and not made yet."""

    def __init__(self, connect_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._connect_s = connect_s
        self._clock = clock
        self._tickets: dict[str, Ticket] = {}

    def issue(self, hub: str, identity: Identity, version: int) -> Ticket:
        """Return a new ticket; below version 1 its id is its token."""
        connection_id = secrets.token_urlsafe(16)
        token = secrets.token_urlsafe(16) if version >= 1 else connection_id
        expires_at = self._clock() + self._connect_s
        ticket = Ticket(connection_id, token, hub, identity, expires_at)
        self._tickets[token] = ticket
        return ticket

    def redeem(self, token: str, hub: str, identity: Identity) -> Ticket | None:
        """Return the ticket *token* stands for, once, in time, and to its owner only."""
        ticket = self._tickets.get(token)
        if ticket is None or ticket.hub != hub or ticket.identity != identity:
            return None
        del self._tickets[token]
        return ticket if ticket.expires_at > self._clock() else None

    def forget_expired(self) -> None:
        now = self._clock()
        for token, ticket in list(self._tickets.items()):
            if ticket.expires_at > now:
                break  # issued in order, all with the same life
            del self._tickets[token]


def authenticate(request: web.Request, key: str) -> tuple[str, Identity]:
    """Return the hub a client call is for, and the caller.

    Raises:
        web.HTTPBadRequest: The hub is missing or misnamed.
        web.HTTPUnauthorized: The token does not prove a client of that hub.

    """
    hub = request.query.get("hub", "")
    if not is_hub_name(hub):
        raise web.HTTPBadRequest(text="The query must name a hub.")
    hub = hub.lower()
    try:
        claims = verify(_client_token(request), key)
        check_audience(claims, hub)
        return hub, identify(claims)
    except TokenError as error:
        headers = {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{error}"'}
        raise web.HTTPUnauthorized(text=str(error), headers=headers) from error


def is_hub_name(name: str) -> bool:
    return _HUB_NAME.fullmatch(name) is not None


def bearer_token(request: web.Request) -> str:
    """Return the token of the Authorization header, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def describe(ticket: Ticket, version: int) -> dict[str, object]:
    """Return the negotiate response."""
    if version < 1:
        return {
            "negotiateVersion": 0,
            "connectionId": ticket.connection_id,
            "availableTransports": _TRANSPORTS,
        }
    return {
        "negotiateVersion": 1,
        "connectionId": ticket.connection_id,
        "connectionToken": ticket.token,
        "availableTransports": _TRANSPORTS,
    }


def asked_version(request: web.Request) -> int:
    """Return the negotiate version asked for, at most the 1 that is spoken here."""
    text = request.query.get("negotiateVersion", "0")
    if not text.isdecimal():
        raise web.HTTPBadRequest(text=f"The negotiateVersion '{text}' is not a number.")
    return min(int(text), 1)


def _client_token(request: web.Request) -> str:
    # A browser cannot set a header on a WebSocket or an event source.
    return bearer_token(request) or request.query.get("access_token", "")
