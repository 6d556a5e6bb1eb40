"""The performatives of AMQP 1.0: what a frame says.

Every field is checked for its type when a frame is read, so that the code behind may trust it.

Source: AMQP 1.0 part 2 (transport), section 2.7, and part 5 (security), section 5.3.3.
"""

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from local.servicebus.amqp.decode import read_value
from local.servicebus.amqp.encode import encode
from local.servicebus.amqp.types import DecodeError, Described, ULong


class Open(NamedTuple):
    container_id: str
    hostname: str | None = None
    max_frame_size: int | None = None
    channel_max: int | None = None
    idle_time_out: int | None = None
    outgoing_locales: Any = None
    incoming_locales: Any = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


class Begin(NamedTuple):
    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


class Attach(NamedTuple):
    name: str
    handle: int
    role: bool
    snd_settle_mode: int | None = None
    rcv_settle_mode: int | None = None
    source: Described | None = None
    target: Described | None = None
    unsettled: dict[Any, Any] | None = None
    incomplete_unsettled: bool | None = None
    initial_delivery_count: int | None = None
    max_message_size: ULong | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


class Flow(NamedTuple):
    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool | None = None
    echo: bool | None = None
    properties: dict[Any, Any] | None = None


class Transfer(NamedTuple):
    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool | None = None
    rcv_settle_mode: int | None = None
    state: Described | None = None
    resume: bool | None = None
    aborted: bool | None = None
    batchable: bool | None = None


class Disposition(NamedTuple):
    role: bool
    first: int
    last: int | None = None
    settled: bool | None = None
    state: Described | None = None
    batchable: bool | None = None


class Detach(NamedTuple):
    handle: int
    closed: bool | None = None
    error: Described | None = None


class End(NamedTuple):
    error: Described | None = None


class Close(NamedTuple):
    error: Described | None = None


class SaslMechanisms(NamedTuple):
    mechanisms: Any


class SaslInit(NamedTuple):
    mechanism: str
    initial_response: bytes | None = None
    hostname: str | None = None


class SaslOutcome(NamedTuple):
    code: int
    additional_data: bytes | None = None


Performative = (
    Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close
    | SaslMechanisms | SaslInit | SaslOutcome
)  # fmt: skip

_CODES: dict[type, int] = {
    Open: 0x10,
    Begin: 0x11,
    Attach: 0x12,
    Flow: 0x13,
    Transfer: 0x14,
    Disposition: 0x15,
    Detach: 0x16,
    End: 0x17,
    Close: 0x18,
    SaslMechanisms: 0x40,
    SaslInit: 0x41,
    SaslOutcome: 0x44,
}


class _Field(NamedTuple):
    name: str
    kind: type
    optional: bool
    limit: int  # an integer's exclusive upper bound


class _Shape(NamedTuple):
    make: Callable[..., Performative]
    fields: list[_Field]


def _shape(kind: type) -> _Shape:
    return _Shape(kind, [_field(name, hint) for name, hint in get_type_hints(kind).items()])


def _field(name: str, hint: object) -> _Field:
    choices = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    first = get_origin(choices[0]) or choices[0]
    if first is Any:
        return _Field(name, object, optional=True, limit=0)
    if first is ULong:
        return _Field(name, int, NoneType in choices, limit=1 << 64)
    return _Field(name, first, NoneType in choices, limit=1 << 32)


_SHAPES = {code: _shape(kind) for kind, code in _CODES.items()}


def encode_performative(performative: Performative) -> bytes:
    """Return the bytes of *performative*; trailing absent fields are left out."""
    fields = list(performative)
    while fields and fields[-1] is None:
        fields.pop()
    return encode(Described(ULong(_CODES[type(performative)]), fields))


def read_performative(data: bytes) -> tuple[Performative, int]:
    """Return the performative that *data* starts with, and the offset of the payload behind it.

    Raises:
        DecodeError: The bytes are no performative, or a field is missing or of a wrong type.

    """
    value, end = read_value(data)
    if not isinstance(value, Described) or not isinstance(value.value, list):
        raise DecodeError("a frame must hold a performative")
    descriptor = value.descriptor
    shape = _SHAPES.get(descriptor) if isinstance(descriptor, int) else None
    if shape is None:
        raise DecodeError("unknown performative")
    return _fill(shape, value.value), end


def _fill(shape: _Shape, values: list[object]) -> Performative:
    if len(values) > len(shape.fields):
        raise DecodeError("the performative has too many fields")
    values += [None] * (len(shape.fields) - len(values))
    for value, field in zip(values, shape.fields, strict=True):
        if not _fits(value, field):
            sentence = f"{field.name} is missing or of a wrong type"
            raise DecodeError(sentence)
    return shape.make(*values)


def _fits(value: object, field: _Field) -> bool:
    if value is None:
        return field.optional
    if field.kind is int:
        return type(value) is int and 0 <= value < field.limit
    return isinstance(value, field.kind)
