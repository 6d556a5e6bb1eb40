"""Messages of hub connections, as the SignalR extension hands them over: JSON text."""

import json
from dataclasses import dataclass
from typing import Final

from shared import telemetry
from shared.domain.errors import InvalidError, UnauthenticatedError
from shared.domain.ids import ConnectionId, UserId, user_id
from shared.domain.people.presence import MAX_WATCHED
from shared.ports import Call
from triggers import admission, decode
from triggers.decode import Fields

_MAX_ECHO: Final = 64  # of an id the client sent, in a refusal


@dataclass(frozen=True, slots=True)
class Invocation:
    """One message of one connection, as the extension hands it over."""

    user_id: UserId
    connection_id: ConnectionId
    arguments: list[object]

    async def call(self, kind: str = "other") -> Call:
        """Return the call of a method, admitted before its argument is read.

        Raises:
            RateLimitedError: The caller still has to wait.
        """
        return await admission.call_of(self.user_id, kind, self.connection_id)

    @property
    def argument(self) -> Fields:
        """Return the one object that a method takes.

        Raises:
            InvalidError: The method got something else than exactly one object.
        """
        if len(self.arguments) != 1:
            raise InvalidError("a hub method takes exactly one object")
        argument = decode.as_object(self.arguments[0], field="argument")
        telemetry.adopt(argument.get("traceparent"))
        return argument

    @property
    def client_message_id(self) -> str | None:
        """Return the message id that a refusal names, as the client sent it, valid or not."""
        argument = self.arguments[0] if len(self.arguments) == 1 else None
        identifier = argument.get("clientMessageId") if isinstance(argument, dict) else None
        return identifier[:_MAX_ECHO] if isinstance(identifier, str) else None

    def unlimited(self) -> Call:
        """Return the call of an event of the connection itself, which takes no token."""
        return Call(self.user_id, self.connection_id)


def parse(text: str) -> Invocation:
    """Read the extension's JSON.

    Raises:
        UnauthenticatedError: The connection has no user.
        InvalidError: The text is not JSON, or is nested too deeply.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError("argument: must be JSON") from error
    if not raw.get("UserId"):
        raise UnauthenticatedError("the connection has no user")
    caller = user_id(raw["UserId"], field="userId")
    return Invocation(caller, ConnectionId(raw["ConnectionId"]), raw.get("Arguments") or [])


def connection_of(call: Call) -> ConnectionId:
    """Return the connection that *call* came over.

    Raises:
        InvalidError: It did not come over the hub.
    """
    if call.connection_id is None:
        raise InvalidError("the call needs a connection of the hub")
    return call.connection_id


def watched(argument: Fields) -> list[UserId]:
    """Return the users whom the caller wants to watch: at most 50."""
    return decode.user_ids(argument.get("userIds"), field="userIds", most=MAX_WATCHED)
