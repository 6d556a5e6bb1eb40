"""The requests a queue takes on its `$management` link.

Source: "AMQP in Azure Service Bus: request-response-based operations".
"""

import uuid
from collections.abc import Callable

from local.servicebus.amqp.types import Array, DecodeError, Timestamp
from local.servicebus.delivery import DeadLetterReason, Outcome
from local.servicebus.errors import (
    ARGUMENT_ERROR,
    LOCK_LOST,
    NOT_IMPLEMENTED,
    SERVER_BUSY,
    TIMEOUT,
    UNAUTHORIZED,
    AmqpError,
)
from local.servicebus.message import encode_delivery
from local.servicebus.queue import Queue
from local.servicebus.requests import Reply, Request
from local.servicebus.settlement import NO_DEFERRAL

_DEFER = "defered"  # the service's own spelling
_PREFIX = "com.microsoft:"
_STATUSES = {
    ARGUMENT_ERROR: 400,
    UNAUTHORIZED: 401,
    TIMEOUT: 408,
    LOCK_LOST: 410,
    NOT_IMPLEMENTED: 501,
    SERVER_BUSY: 503,
}

Fields = dict[object, object]


def refusal(error: AmqpError) -> Reply:
    """Return the reply that says *error*."""
    status = _STATUSES.get(error.condition, 500)
    return Reply(status, error.description, condition=error.condition)


def manage(queue: Queue, request: Request) -> Reply:
    """Carry out *request* on *queue*. Every refusal is a reply with a status and a condition."""
    try:
        return _operation(request)(queue, _fields(request))
    except AmqpError as error:
        return refusal(error)
    except DecodeError as error:
        return refusal(AmqpError(ARGUMENT_ERROR, str(error)))


def _operation(request: Request) -> Callable[[Queue, Fields], Reply]:
    operation = _OPERATIONS.get(request.operation.removeprefix(_PREFIX))
    if operation is None:
        raise AmqpError(NOT_IMPLEMENTED, f"this stand-in does not serve {request.operation}")
    return operation


def _fields(request: Request) -> Fields:
    if not isinstance(request.value, dict):
        raise AmqpError(ARGUMENT_ERROR, "the request's body must be a map")
    return request.value


def _renew(queue: Queue, fields: Fields) -> Reply:
    expirations = Array(Timestamp(queue.renew(token)) for token in _tokens(fields))
    return Reply(200, body={"expirations": expirations})


def _peek(queue: Queue, fields: Fields) -> Reply:
    start, count = fields.get("from-sequence-number"), fields.get("message-count")
    if not isinstance(start, int) or not isinstance(count, int) or count < 0:
        raise AmqpError(ARGUMENT_ERROR, "from-sequence-number and message-count are numbers")
    messages: list[object] = [
        {"message": encode_delivery(delivery.content, delivery.marks)}
        for delivery in queue.peek(start, count)
    ]
    return Reply(200, body={"messages": messages}) if messages else Reply(204, "No Content")


def _settle(queue: Queue, fields: Fields) -> Reply:
    status = fields.get("disposition-status")
    if status == _DEFER:
        raise AmqpError(NOT_IMPLEMENTED, NO_DEFERRAL)
    try:
        outcome = Outcome(status)
    except ValueError as error:
        raise AmqpError(ARGUMENT_ERROR, "unknown disposition-status") from error
    if fields.get("properties-to-modify"):
        raise AmqpError(NOT_IMPLEMENTED, "properties-to-modify is not served here")
    reason = DeadLetterReason(
        _text(fields, "deadletter-reason"), _text(fields, "deadletter-description")
    )
    for token in _tokens(fields):
        queue.settle(token, outcome, reason)
    return Reply(200)


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


def _tokens(fields: Fields) -> list[uuid.UUID]:
    items = fields.get("lock-tokens")
    if not isinstance(items, list) or not items:
        raise AmqpError(ARGUMENT_ERROR, "lock-tokens must be an array of uuids")
    tokens = [item for item in items if isinstance(item, uuid.UUID)]
    if len(tokens) != len(items):
        raise AmqpError(ARGUMENT_ERROR, "lock-tokens must be an array of uuids")
    return tokens


_OPERATIONS: dict[str, Callable[[Queue, Fields], Reply]] = {
    "renew-lock": _renew,
    "peek-message": _peek,
    "update-disposition": _settle,
}
