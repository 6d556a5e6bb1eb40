"""Decides what a link may be attached to, and refuses the rest."""

import time
from typing import NamedTuple

from local.servicebus.amqp.performatives import Attach
from local.servicebus.amqp.types import Described
from local.servicebus.broker import DEAD_LETTER_SUFFIX, Broker, entity_path
from local.servicebus.errors import (
    NOT_ALLOWED,
    NOT_IMPLEMENTED,
    UNAUTHORIZED,
    AmqpError,
    LinkError,
)
from local.servicebus.link_io import LinkIO
from local.servicebus.links import (
    Link,
    QueueInbound,
    QueueOutbound,
    ReplyOutbound,
    RequestInbound,
)
from local.servicebus.management import manage, refusal
from local.servicebus.queue import Queue
from local.servicebus.requests import CBS_NAMES, MANAGEMENT_NAMES, Reply, Request
from local.servicebus.tokens import Authorization

_CBS = "$cbs"
_MANAGEMENT_SUFFIX = "/$management"
_COORDINATORS = (0x30, "amqp:coordinator:list")
_DYNAMIC, _FILTER = 4, 7  # fields of a source


class AttachContext(NamedTuple):
    """Where links are attached: the namespace, and what the connection may use of it."""

    broker: Broker
    authorization: Authorization


def terminus_address(terminus: Described | None) -> str | None:
    """Return the address of a source or target, if it has one."""
    fields = terminus.value if terminus is not None else None
    address = fields[0] if isinstance(fields, list) and fields else None
    return address if isinstance(address, str) else None


def open_link(link_io: LinkIO, attach: Attach, context: AttachContext) -> Link:
    """Return the link that *attach* asks for.

    Raises:
        LinkError: No such entity, no leave to use it, or a feature that is not served here.

    """
    if attach.target is not None and attach.target.descriptor in _COORDINATORS:
        raise LinkError(NOT_IMPLEMENTED, "transactions are not served here")
    address = terminus_address(attach.source if attach.role else attach.target)
    if address is None:
        raise LinkError(NOT_ALLOWED, "the link has no address")
    path = entity_path(address)
    if path == _CBS:
        return _cbs_link(link_io, attach, path, context)
    check_access(path, context)
    if path.endswith(_MANAGEMENT_SUFFIX):
        queue = context.broker.find(path.removesuffix(_MANAGEMENT_SUFFIX))
        return _management_link(link_io, attach, path, queue)
    return _queue_link(link_io, attach, path, context.broker)


def check_access(path: str, context: AttachContext) -> None:
    """Make sure that the connection may use *path* now.

    Raises:
        LinkError: It has no valid token for it.

    """
    entity = path.removesuffix(_MANAGEMENT_SUFFIX)
    if path != _CBS and not context.authorization.allows(entity, time.time()):
        sentence = f"Unauthorized access. A valid token for '{entity}' is needed."
        raise LinkError(UNAUTHORIZED, sentence)


def _cbs_link(link_io: LinkIO, attach: Attach, path: str, context: AttachContext) -> Link:
    if attach.role:
        return ReplyOutbound(link_io, attach, path)

    def answer(request: Request, fault: AmqpError | None) -> Reply:
        if fault is not None:
            return refusal(fault)
        return context.authorization.put_token(request, time.time())

    return RequestInbound(link_io, attach, path, CBS_NAMES, answer)


def _management_link(link_io: LinkIO, attach: Attach, path: str, queue: Queue) -> Link:
    if attach.role:
        return ReplyOutbound(link_io, attach, path)

    def answer(request: Request, fault: AmqpError | None) -> Reply:
        return manage(queue, request) if fault is None else refusal(fault)

    return RequestInbound(link_io, attach, path, MANAGEMENT_NAMES, answer)


def _queue_link(link_io: LinkIO, attach: Attach, path: str, broker: Broker) -> Link:
    queue = broker.find(path)
    if not attach.role:
        if path.endswith(DEAD_LETTER_SUFFIX):
            raise LinkError(NOT_ALLOWED, "nothing can be sent to a dead-letter queue")
        return QueueInbound(link_io, attach, path, queue)
    fields = attach.source.value if attach.source is not None else []
    source = (*fields, *[None] * 8) if isinstance(fields, list) else (None,) * 8
    if source[_FILTER]:
        raise LinkError(NOT_ALLOWED, "sessions and filters are not served on this queue")
    if source[_DYNAMIC]:
        raise LinkError(NOT_IMPLEMENTED, "dynamic nodes are not served here")
    return QueueOutbound(link_io, attach, path, broker, queue)
