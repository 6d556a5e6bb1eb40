"""Messages of hub connections, as the SignalR extension hands them over: JSON text."""

import json
from dataclasses import dataclass

from shared import telemetry
from shared.domain.errors import InvalidError, UnauthenticatedError
from shared.domain.ids import ConnectionId, UserId, user_id
from shared.domain.live import Call
from shared.domain.presence import MAX_WATCHED
from triggers import decode, edge
from triggers.decode import Fields


@dataclass(frozen=True, slots=True)
class Invocation:
    """One message of one connection, as the extension hands it over."""

    user_id: UserId
    connection_id: ConnectionId
    argument: Fields

    async def call(self, kind: str = "other") -> Call:
        return Call(self.user_id, self.connection_id, await edge.limit_of(kind))

    def unlimited(self) -> Call:
        """Return the call of an event that no client makes by itself."""
        return Call(self.user_id, self.connection_id)


def parse(text: str, *, with_argument: bool = True) -> Invocation:
    """Read the extension's JSON.

    Raises:
        UnauthenticatedError: The connection has no user.
        InvalidError: A method was not given exactly one object, or one nested beyond reason.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError("argument: must be JSON") from error
    if not raw.get("UserId"):
        raise UnauthenticatedError("the connection has no user")
    argument: Fields = {}
    if with_argument:
        given = raw.get("Arguments") or []
        if len(given) != 1:
            raise InvalidError("a hub method takes exactly one object")
        argument = decode.as_object(given[0], field="argument")
        telemetry.adopt(argument.get("traceparent"))
    caller = user_id(raw["UserId"], field="userId")
    return Invocation(caller, ConnectionId(raw["ConnectionId"]), argument)


def watched(asked: Invocation) -> list[UserId]:
    """Return whom the caller wants to watch: at most 50."""
    return decode.user_ids(asked.argument.get("userIds"), field="userIds", most=MAX_WATCHED)
