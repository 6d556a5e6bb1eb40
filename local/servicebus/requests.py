"""Requests to the broker itself (`$cbs`, `$management`) and their replies.

Source: OASIS "AMQP management" working draft, section 3, with the property names that Service Bus
uses.
"""

from typing import NamedTuple

from local.servicebus.amqp.encode import encode
from local.servicebus.amqp.types import DecodeError, Described, Int, Symbol, ULong
from local.servicebus.message import read_sections

_PROPERTIES, _APPLICATION, _VALUE = 0x73, 0x74, 0x77


class Request(NamedTuple):
    """One request. *properties* are its application properties, by name."""

    properties: dict[str, object]
    value: object
    message_id: object

    @property
    def operation(self) -> str:
        return str(self.properties.get("operation"))


class Reply(NamedTuple):
    """The answer. *status* counts as in HTTP; *condition* is the AMQP one of a refusal."""

    status: int
    description: str = "OK"
    body: dict[object, object] | None = None
    condition: str | None = None


class PropertyNames(NamedTuple):
    status: str
    description: str
    condition: str


CBS_NAMES = PropertyNames("status-code", "status-description", "error-condition")
MANAGEMENT_NAMES = PropertyNames("statusCode", "statusDescription", "errorCondition")


def read_request(data: bytes) -> Request:
    """Read a request message.

    Raises:
        DecodeError: It is not one.

    """
    sections = read_sections(data)
    properties = sections.get(_PROPERTIES)
    application = sections.get(_APPLICATION)
    if not isinstance(properties, list) or not isinstance(application, dict):
        raise DecodeError("a request needs properties and application properties")
    message_id = properties[0] if properties else None
    named = {str(name): value for name, value in application.items()}
    return Request(named, sections.get(_VALUE), message_id)


def encode_reply(reply: Reply, request: Request, names: PropertyNames) -> bytes:
    """Return *reply* as a message that is correlated with *request*."""
    message_id = request.message_id
    correlation = ULong(message_id) if isinstance(message_id, int) else message_id
    application: dict[str, object] = {
        names.status: Int(reply.status),
        names.description: reply.description,
    }
    if reply.condition is not None:
        application[names.condition] = Symbol(reply.condition)
    sections = (
        (_PROPERTIES, [None] * 5 + [correlation]),
        (_APPLICATION, application),
        (_VALUE, reply.body),
    )
    return b"".join(encode(Described(ULong(code), value)) for code, value in sections)
