"""The shortest part of a history that still shows a violation, to read instead of all of it."""

from tests.reliability.checker import check
from tests.reliability.facts import Violation
from tests.reliability.history import Event, Fault, History, Member, Said, Stored, to_line

_MOST_LINES = 40


def shortest(history: History, violation: Violation) -> History:
    """Return a part of *history* from which no event can be left out.

    What is stored, and who is in the conversation, stays: without it every other event would be
    wrong in some way.
    """
    kept = [event for event in history if _concerns(event, violation)]
    for event in list(kept):
        if isinstance(event, Stored | Member | Said):
            continue
        fewer = [one for one in kept if one is not event]
        if violation in check(fewer):
            kept = fewer
    return [event for event in kept if _names(event, violation)]


def explain(history: History, violation: Violation) -> str:
    """Return the violation, the faults around it and its shortest history, as text."""
    part = shortest(history, violation)
    begun = min((event.at for event in part), default=0)
    ended = max((event.at for event in part if not _is_final(event)), default=begun)
    around = [
        event
        for event in history
        if isinstance(event, Fault) and begun - 5000 <= event.at <= ended + 1000
    ]
    lines = [to_line(event) for event in sorted([*part, *around], key=lambda one: one.at)]
    left_out = len(lines) - _MOST_LINES
    shown = lines[:_MOST_LINES] + ([f"... and {left_out} more"] if left_out > 0 else [])
    head = f"{violation.rule}: {violation.sentence} (conversation {violation.conversation or '-'})"
    return "\n".join([head, *(f"    {line}" for line in shown)])


def _concerns(event: Event, violation: Violation) -> bool:
    if not violation.conversation:
        return getattr(event, "who", None) in violation.ids
    return getattr(event, "conversation", None) == violation.conversation


def _names(event: Event, violation: Violation) -> bool:
    named = {getattr(event, name, None) for name in ("who", "sender", "id", "sequence")}
    return bool(named & violation.ids)


def _is_final(event: Event) -> bool:
    return event.kind in {"stored", "holds", "watermark", "presence", "left"}
