"""Rules of what goes on beside the messages: rights, receipts on the way, files, inboxes.

Pure, as the checker is, and blind to the code as well.
"""

from collections.abc import Iterator
from itertools import pairwise

from tests.reliability.facts import Facts, Rule, Violation, broken, facts_of
from tests.reliability.history import Attempt, Fault, History, Inbox, Right

# A notification that was decided before its reader read may arrive this much later.
GRACE_MS = 8_000
# Between one look at the receipts and the push there may be a stop; and receipts that are not
# flushed (one second in these runs) may be forgotten, or not be there to be asked for.
_STOPS = ("redis-", "proxy-", "worker-", "host-", "site-", "disk-", "everything-")
_UNFLUSHED_MS = 2_000
# Azurite writes its index every five seconds: `kill -9` forgets uploads that are younger.
_INDEX_MS = 6_000
_FORGETS_FILES = ("azurite-killed", "everything-killed", "disk-filled")
# On a full disk it writes none: the next one follows when there is room again.
_FULL_MS = 6_000
# SignalR is told of a removal within so long of a fault by which it, or who tells it, stood still.
_TOLD_MS = 15_000
_UNTOLD = ("signalr-", "worker-", "host-", "redis-", "proxy-", "cosmos-", "everything-", "disk-")
_REFUSALS = frozenset({403, 404})


def nothing_is_granted_without_right(facts: Facts) -> Iterator[Violation]:
    """What was taken is gone with the answer: no call and no push begun after it gets through.

    A call or a push that ends after somebody has begun to give the right back proves nothing. Nor
    does a push after SignalR could not be told of the removal: the change feed tells it later.
    """
    for one in facts.attempts:
        if one.status in range(200, 300) and _is_taken(facts, one, one.at, one.until):
            yield broken("trespass", facts, f"{one.who} may not {one.way}, and did", one.who)
    begun = facts.said_at()
    for push in facts.heard:
        at = begun.get(push.sequence)
        if at is None or at > push.at:
            continue
        out = Attempt(at, push.at, push.who, facts.conversation, "member", "hear", 200)
        if _is_taken(facts, out, at, push.at) and not _untold(facts, push.at):
            sentence = f"{push.who} was pushed {push.id}, begun after they were removed"
            yield broken("trespass", facts, sentence, push.who, push.id)


def _untold(facts: Facts, at: int) -> bool:
    return any(
        at - _TOLD_MS <= one.at <= at and one.what.startswith(_UNTOLD) for one in facts.strikes
    )


def what_is_granted_holds(facts: Facts) -> Iterator[Violation]:
    """Who has been told that they have a right is not refused while nobody takes it away."""
    for one in facts.attempts:
        if one.status not in _REFUSALS:
            continue
        changes = _changes(facts, one)
        given = max((e.at for e in changes if e.step == "granted" and e.at < one.at), default=-1)
        if given >= 0 and not any(
            given <= e.at <= one.until for e in changes if e.step in {"taking", "taken"}
        ):
            sentence = f"{one.who} may {one.way}, and was answered {one.status}"
            yield broken("shut out", facts, sentence, one.who)


def _is_taken(facts: Facts, one: Attempt, begun: int, until: int) -> bool:
    changes = _changes(facts, one)
    taken = max((e.at for e in changes if e.step == "taken" and e.at < begun), default=-1)
    return taken >= 0 and not any(
        taken <= e.at <= until for e in changes if e.step in {"granting", "granted"}
    )


def _changes(facts: Facts, one: Attempt) -> list[Right]:
    return [e for e in facts.rights if e.who == one.who and e.right == one.right]


def receipts_stay_behind_the_head(facts: Facts) -> Iterator[Violation]:
    """No receipt is shown of a message that is not there yet, and none read before delivered."""
    begun = facts.said_at()
    for one in facts.receipts:
        if one.read > one.delivered or one.delivered > one.latest:
            sentence = f"{one.who} was shown at {one.delivered}/{one.read} of {one.latest}"
            yield broken("ahead", facts, sentence, one.who)
    shown = [(one.who, one.until, one.delivered) for one in facts.receipts]
    told = [(one.who, one.at, one.delivered) for one in facts.confirmed]
    for who, at, delivered in [*shown, *told]:
        if begun.get(delivered, 0) > at:
            sentence = f"{who} was said to have {delivered} before anybody said it"
            yield broken("ahead", facts, sentence, who, delivered)


def files_of_messages_are_readable(facts: Facts) -> Iterator[Violation]:
    """An acknowledged message's file can be read, unless Azurite was killed right after it."""
    acknowledged = {one.id for one in facts.acknowledged}
    for one in facts.files:
        if one.readable or one.id not in acknowledged:
            continue
        lost = range(one.uploaded - 1_000, _indexed(facts, one.uploaded))
        if not any(e.at in lost for e in facts.strikes if e.what in _FORGETS_FILES):
            yield broken("file", facts, f"the file of {one.id} cannot be read", one.who, one.id)


def _indexed(facts: Facts, uploaded: int) -> int:
    """Return until when Azurite may not have written that it has a file."""
    until = uploaded + _INDEX_MS
    for fault in facts.strikes:
        if fault.what == "disk-filled" and uploaded - _FULL_MS <= fault.at <= until:
            until = max(until, fault.at + _FULL_MS + _INDEX_MS)
    return until


def nobody_is_notified_of_what_they_read(facts: Facts) -> Iterator[Violation]:
    """Eight seconds after somebody has read a message, they are not notified of it any more."""
    sequences = {one.id: one.sequence for one in facts.stored}
    for one in facts.notified:
        sequence = sequences.get(one.id, 0)
        read = [e.at for e in facts.confirmed if e.who == one.who and e.read >= sequence]
        read += [e.at for e in facts.acknowledged if e.who == one.who and e.sequence >= sequence]
        if not sequence or not read or one.at <= min(read) + GRACE_MS:
            continue
        stopped = range(min(read) - _UNFLUSHED_MS, one.at + 1)
        if not any(e.at in stopped and _stops(e) for e in facts.strikes):
            sentence = f"{one.who} was told of {one.id} {one.at - min(read)} ms after reading it"
            yield broken("stale", facts, sentence, one.who, one.id)


def _stops(fault: Fault) -> bool:
    return fault.what.startswith(_STOPS) or fault.what.endswith(("-paused", "-stuck"))


MORE_RULES: tuple[Rule, ...] = (
    nothing_is_granted_without_right,
    what_is_granted_holds,
    receipts_stay_behind_the_head,
    files_of_messages_are_readable,
    nobody_is_notified_of_what_they_read,
)


def inboxes(history: History) -> Iterator[Violation]:
    """Every inbox agrees with itself; the last one with the store, and stands in its order."""
    newest = {facts.conversation: _newest(facts) for facts in facts_of(history)}
    for one in history:
        if not isinstance(one, Inbox):
            continue
        for conversation, latest, unread, delivered, read in one.items:
            true = newest.get(conversation, (latest, 0))[0]
            if not read <= delivered <= latest <= true or (one.final and latest != true):
                sentence = f"{one.who} was shown {delivered}/{read} of {latest}; stored are {true}"
                yield Violation("inbox", conversation, sentence, frozenset({one.who}))
            elif unread != latest - read:
                sentence = f"{one.who} has read {read} of {latest}, and {unread} are unread"
                yield Violation("unread", conversation, sentence, frozenset({one.who}))
        if one.final:
            yield from _order(one, newest)


def _newest(facts: Facts) -> tuple[int, int]:
    return max(((one.sequence, one.sent_at) for one in facts.stored), default=(0, 0))


def _order(inbox: Inbox, newest: dict[str, tuple[int, int]]) -> Iterator[Violation]:
    spoken = [(item[0], newest[item[0]][1]) for item in inbox.items if newest.get(item[0], (0,))[0]]
    for (earlier, first), (later, second) in pairwise(spoken):
        if first < second:
            sentence = f"{inbox.who} was shown {earlier} above it, whose last message is older"
            yield Violation("disorder", later, sentence, frozenset({inbox.who}))
