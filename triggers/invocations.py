"""Messages of hub connections, as the SignalR extension hands them over: JSON text."""

import json
from dataclasses import dataclass
from typing import Final

from shared import telemetry
from shared.domain.errors import InvalidError, UnauthenticatedError
from shared.domain.ids import ConnectionId, UserId, user_id
from shared.domain.presence import MAX_WATCHED
from shared.ports import Call
from triggers import admission, decode, edge
from triggers.decode import Fields

_MAX_ECHO: Final = 64  # of an id the client sent, in a refusal


@dataclass(frozen=True, slots=True)
class Invocation:
    """One message of one connection, as the extension hands it over."""

    user_id: UserId
    connection_id: ConnectionId
    arguments: list[object]

    async def call(self, kind: str = "other") -> Call:
        """Return the call of a method. Handlers ask this first, before they read the argument.

        Raises:
            RateLimitedError: The caller has to wait still.
        """
        call = Call(self.user_id, self.connection_id, await edge.limit_of(kind))
        return await admission.opened(call)

    @property
    def argument(self) -> Fields:
        """Return the one object that a method takes.

        Raises:
            InvalidError: There is not exactly one object, or one nested beyond reason.
        """
        if len(self.arguments) != 1:
            raise InvalidError("a hub method takes exactly one object")
        argument = decode.as_object(self.arguments[0], field="argument")
        telemetry.adopt(argument.get("traceparent"))
        return argument

    @property
    def client_message_id(self) -> str | None:
        """Return the id that a refusal names: what the client sent, whatever it is worth."""
        given = self.arguments[0] if len(self.arguments) == 1 else None
        said = given.get("clientMessageId") if isinstance(given, dict) else None
        return said[:_MAX_ECHO] if isinstance(said, str) else None

    def unlimited(self) -> Call:
        """Return the call of an event that no client makes by itself."""
        return Call(self.user_id, self.connection_id)


def parse(text: str) -> Invocation:
    """Read the extension's JSON.

    Raises:
        UnauthenticatedError: The connection has no user.
        InvalidError: It is no JSON, or one nested beyond reason.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError("argument: must be JSON") from error
    if not raw.get("UserId"):
        raise UnauthenticatedError("the connection has no user")
    caller = user_id(raw["UserId"], field="userId")
    return Invocation(caller, ConnectionId(raw["ConnectionId"]), raw.get("Arguments") or [])


def watched(argument: Fields) -> list[UserId]:
    """Return whom the caller wants to watch: at most 50."""
    return decode.user_ids(argument.get("userIds"), field="userIds", most=MAX_WATCHED)
