"""Delivery states: what a receiver says became of a message, and what the broker says back.

Source: AMQP 1.0 part 3 (messaging), section 3.4, and the "AMQP 1.0 in Azure Service Bus protocol
guide" for `modified` and `rejected`.
"""

from typing import NamedTuple

from local.servicebus.amqp.types import Described, ULong
from local.servicebus.delivery import DeadLetterReason, Outcome
from local.servicebus.errors import DECODE_ERROR, NOT_IMPLEMENTED, AmqpError

_RECEIVED, _ACCEPTED, _REJECTED, _RELEASED, _MODIFIED = range(0x23, 0x28)
_NAMES = {
    "amqp:received:list": _RECEIVED,
    "amqp:accepted:list": _ACCEPTED,
    "amqp:rejected:list": _REJECTED,
    "amqp:released:list": _RELEASED,
    "amqp:modified:list": _MODIFIED,
}

NO_DEFERRAL = "this stand-in does not serve deferred messages"
ACCEPTED = Described(ULong(_ACCEPTED), [])


class Settlement(NamedTuple):
    """A receiver's verdict; *echo* is the state that confirms it."""

    outcome: Outcome
    reason: DeadLetterReason
    echo: Described


def rejected(error: AmqpError) -> Described:
    """Return the state that refuses a delivery, or a settlement, because of *error*."""
    return Described(ULong(_REJECTED), [error.encoded()])


def read_settlement(state: Described | None) -> Settlement | None:
    """Return the verdict in *state*; None when it is not a final one.

    A settlement without a state gives the message back: nothing says that it was handled.

    Raises:
        AmqpError: The state is unknown, or asks for what is not served here.

    """
    if state is None:
        return _plain(_RELEASED, Outcome.RELEASE)
    code = _NAMES.get(state.descriptor, -1) if isinstance(state.descriptor, str) else None
    code = state.descriptor if isinstance(state.descriptor, int) else code
    fields = state.value if isinstance(state.value, list) else []
    match code:
        case 0x23:
            return None
        case 0x24:
            return _plain(_ACCEPTED, Outcome.COMPLETE)
        case 0x25:
            return Settlement(Outcome.DEAD_LETTER, _letter(fields), _echo(_REJECTED))
        case 0x26:
            return _plain(_RELEASED, Outcome.RELEASE)
        case 0x27:
            return _modified(fields)
    raise AmqpError(DECODE_ERROR, "unknown delivery state")


def _modified(fields: list[object]) -> Settlement:
    failed, undeliverable, annotations = (*fields, None, None, None)[:3]
    if annotations:
        raise AmqpError(NOT_IMPLEMENTED, "changing a message's annotations is not served here")
    if undeliverable is True:
        raise AmqpError(NOT_IMPLEMENTED, NO_DEFERRAL)
    return _plain(_MODIFIED, Outcome.ABANDON if failed is True else Outcome.RELEASE)


def _letter(fields: list[object]) -> DeadLetterReason:
    error = fields[0] if fields else None
    parts = error.value if isinstance(error, Described) else None
    info = parts[2] if isinstance(parts, list) and len(parts) > 2 else None
    if not isinstance(info, dict):
        return DeadLetterReason()
    reason, description = info.get("DeadLetterReason"), info.get("DeadLetterErrorDescription")
    return DeadLetterReason(
        reason if isinstance(reason, str) else None,
        description if isinstance(description, str) else None,
    )


def _plain(code: int, outcome: Outcome) -> Settlement:
    return Settlement(outcome, DeadLetterReason(), _echo(code))


def _echo(code: int) -> Described:
    return Described(ULong(code), [])
