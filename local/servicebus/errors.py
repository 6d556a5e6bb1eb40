"""Refusals, in AMQP's own terms: a condition and a sentence."""

from typing import Final

from local.servicebus.amqp.types import Described, Symbol, ULong

NOT_FOUND: Final = "amqp:not-found"
NOT_ALLOWED: Final = "amqp:not-allowed"
NOT_IMPLEMENTED: Final = "amqp:not-implemented"
DECODE_ERROR: Final = "amqp:decode-error"
INTERNAL_ERROR: Final = "amqp:internal-error"
UNAUTHORIZED: Final = "amqp:unauthorized-access"
RESOURCE_LIMIT: Final = "amqp:resource-limit-exceeded"
CONNECTION_FORCED: Final = "amqp:connection:forced"
HANDLE_IN_USE: Final = "amqp:session:handle-in-use"
UNATTACHED_HANDLE: Final = "amqp:session:unattached-handle"
TRANSFER_LIMIT: Final = "amqp:link:transfer-limit-exceeded"
MESSAGE_TOO_LARGE: Final = "amqp:link:message-size-exceeded"
LOCK_LOST: Final = "com.microsoft:message-lock-lost"
SERVER_BUSY: Final = "com.microsoft:server-busy"
TIMEOUT: Final = "com.microsoft:timeout"
ARGUMENT_ERROR: Final = "com.microsoft:argument-error"
DEAD_LETTER: Final = "com.microsoft:dead-letter"

_ERROR_DESCRIPTOR = ULong(0x1D)
_FAULT_CONDITIONS = {
    401: UNAUTHORIZED,
    403: UNAUTHORIZED,
    404: NOT_FOUND,
    408: TIMEOUT,
    500: INTERNAL_ERROR,
    504: TIMEOUT,
}


class AmqpError(Exception):
    """A refusal to be sent to the peer.

    Args:
        condition: The symbol a client decides by.
        description: For people.

    """

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description

    def encoded(self) -> Described:
        """Return the AMQP `error` composite, its info too: the Python SDK cannot do without."""
        return Described(_ERROR_DESCRIPTOR, [Symbol(self.condition), self.description, {}])


class PeerError(AmqpError):
    """The connection ends with this error."""


class SessionError(AmqpError):
    """The session ends with this error."""


class LinkError(AmqpError):
    """The link is refused, or detached, with this error."""


class LockLostError(AmqpError):
    """The lock has expired, was released, or the message is settled already."""

    def __init__(self) -> None:
        super().__init__(
            LOCK_LOST,
            "The lock supplied is invalid. Either the lock expired, or the message has already "
            "been removed from the queue.",
        )


def injected(status: int | None) -> AmqpError:
    """Return the error that an armed fault with HTTP-like *status* stands for: server-busy."""
    condition = _FAULT_CONDITIONS.get(status or 503, SERVER_BUSY)
    return AmqpError(condition, f"a fault armed on the stand-in ({status or 503})")
