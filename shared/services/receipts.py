"""Receipts: acknowledged into live state at once, flushed to the store a few seconds later."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass, replace
from itertools import batched
from typing import Final

from shared.domain.access import access_conversation
from shared.domain.activity import is_renewal_due
from shared.domain.conversation import Conversation
from shared.domain.errors import SequenceOutOfRangeError, UnavailableError
from shared.domain.events import (
    Effect,
    Push,
    ReceiptAdvanced,
    ToUser,
    audience,
)
from shared.domain.ids import NO_SEQUENCE, ConversationId, Sequence, UserId, is_group_id
from shared.domain.live import Head
from shared.domain.receipt import Receipt
from shared.ports import (
    Acknowledged,
    Bus,
    Call,
    CallState,
    Clock,
    ConversationStore,
    LiveConversation,
    LiveState,
    Reflush,
    VersionConflictError,
)
from shared.services.admission import Admission
from shared.services.clearing import Clearing
from shared.services.reader import ConversationReader
from shared.services.renewals import Renewal, Renewals

logger = logging.getLogger(__name__)

_TRIES: Final = 4
_NEVER: Final = 2**53  # microseconds: after every mark there can be
_FLUSHED_AT_ONCE: Final = 5_000
_SNAPSHOTS: Final = 500  # in one pipeline
_WRITERS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Moves watermarks, and tells those concerned."""

    admission: Admission
    reader: ConversationReader
    live: LiveState
    store: ConversationStore
    clock: Clock
    clearing: Clearing
    bus: Bus
    renewals: Renewals

    async def acknowledge(
        self,
        call: Call,
        conversation_id: ConversationId,
        *,
        delivered: Sequence | None,
        read: Sequence | None,
    ) -> tuple[Receipt, list[Effect]]:
        """Advance the caller's watermarks; a late or repeated call changes nothing.

        Costs one round trip to live state. In a direct conversation the other member is told at
        once; in a group everyone is told together at the next flush, one push for all receipts.

        Raises:
            NotFoundError: No such conversation for this caller.
            SequenceOutOfRangeError: It lies past the newest message.
            UnavailableError: Live state is down; acknowledge again later.
        """
        version = 0  # any cached copy will do: live state compares its version in the same step
        effects: list[Effect] = []
        for _ in range(_TRIES):
            conversation = await self._opened(call.user_id, conversation_id, version=version)
            try:
                state, done = await self.live.acknowledge(
                    call,
                    conversation,
                    delivered=delivered or NO_SEQUENCE,
                    read=read or NO_SEQUENCE,
                    now=self.clock.now(),
                )
            except UnavailableError:
                self.admission.admit_locally(call)
                raise
            effects += await self.admission.decide(call, state)
            call = replace(call, limit=None)  # one token, however often it has to look
            if done.outcome in {"moved", "unchanged"}:
                _log(done)
                return done.receipt, effects + _pushes(conversation, state, done)
            if done.outcome == "stale":
                version = conversation.version + 1
                continue
            head, _known = await self.reader.recover(conversation)
            # What was read may be newer than the copy that let the caller in.
            access_conversation(await self.reader.find(conversation_id, version=0), call.user_id)
            up_to = max(delivered or 0, read or 0)
            if up_to > head.sequence:
                raise SequenceOutOfRangeError(up_to=up_to, latest=head.sequence)
        raise UnavailableError("the conversation is being changed")

    async def _opened(
        self, user_id: UserId, conversation_id: ConversationId, *, version: int
    ) -> Conversation:
        found = await self.reader.find(conversation_id, version=version)
        if found is None or found.find_member(user_id) is None:
            # A copy from before the caller joined must not deny them: the store decides.
            found = await self.reader.find(conversation_id, version=None)
        return access_conversation(found, user_id)[0]

    async def flush(self) -> list[Effect]:
        """Write changed heads and receipts to the store, one write per conversation.

        A conversation that fails stays marked and is tried again; it does not stop the others. Its
        members are told all the same, now: the next try no longer knows whose receipts moved.
        """
        try:
            waiting = await self.live.dirty_conversations(limit=_FLUSHED_AT_ONCE)
        except UnavailableError:
            return []
        effects: list[Effect] = []
        for batch in batched(waiting, _SNAPSHOTS, strict=False):
            effects += await self._flush(batch)
        return effects

    async def _flush(self, batch: Series[ConversationId]) -> list[Effect]:
        try:
            states = await self._snapshots(batch)
        except UnavailableError:
            return []
        slots = asyncio.Semaphore(_WRITERS)

        async def saved(state: LiveConversation) -> bool | Renewal:
            async with slots:
                return await self._save(state)

        done = await asyncio.gather(*map(saved, states))
        written = [state for state, ok in zip(states, done, strict=True) if ok is True]
        groups = await self._groups(states)
        with contextlib.suppress(UnavailableError):
            # First: a flush that is cut short in between is repeated, and tells them then.
            await self.live.touch(_concerned(states, groups))
            await self.live.flushed(written)
        await self.clearing.queue(states)
        # Last, and not for long: nobody else's flush waits for the memberships of a large group.
        if renewed := await self.renewals.run(_due(done)):
            with contextlib.suppress(UnavailableError):
                await self.live.flushed(renewed)
        return [push for state in states for push in _group_push(state, groups)]

    async def flush_again(self, conversation_id: ConversationId) -> None:
        """Flush one conversation from the queue, and raise whatever fails."""
        for _ in range(_TRIES):
            states = await self.live.snapshots([conversation_id])
            done = [await self._save(state) for state in states]
            if all(done) and len(await self.renewals.run(_due(done))) == len(_due(done)):
                await self.live.flushed(states)
                return
        raise UnavailableError("the conversation cannot be flushed")

    async def _snapshots(self, batch: Series[ConversationId]) -> list[LiveConversation]:
        try:
            return await self.live.snapshots(batch)
        except UnavailableError:
            raise
        except Exception:
            logger.exception("a flush of %d conversations failed; now one by one", len(batch))
        return [state for one in batch for state in await self._snapshot_alone(one)]

    async def _snapshot_alone(self, conversation_id: ConversationId) -> list[LiveConversation]:
        try:
            return await self.live.snapshots([conversation_id])
        except UnavailableError:
            raise
        except Exception as error:
            logger.exception("flush of %s: goes into the queue", conversation_id)
            await self.bus.send(Reflush(conversation_id, type(error).__name__))
        # Marked as done, or it would be met again at every flush.
        await self.live.flushed([LiveConversation(conversation_id, Head(), (), (), _NEVER)])
        return []

    async def _save(self, state: LiveConversation) -> bool | Renewal:
        """Record *state*; return False to try again later, or the renewal that must come first."""
        if not state.head.known:
            return True
        try:
            await self.store.save_state(state)
        except VersionConflictError:
            return await self._merge(state)
        except UnavailableError as error:
            logger.warning("flush of %s put off: %s", state.conversation_id, error)
            return False
        return True

    async def _merge(self, state: LiveConversation) -> bool | Renewal:
        """Bring what is recorded into live state, for the next flush; true when nothing is there.

        Live state that came back older than its last flush must not take watermarks back. If
        *state* does follow what is recorded, it was refused for the memberships: renew them.
        """
        conversation_id, active_at = state.conversation_id, state.head.at
        try:
            found = await self.store.find_with_state(conversation_id)
            if found is None:
                return True
            conversation, flushed = found
            follows = flushed.stamp in {0, state.base}
            if follows and active_at and is_renewal_due(flushed.active_from, active_at):
                return Renewal(state, conversation, active_at)
            await self.live.seed(conversation, None, flushed.receipts, flushed=flushed.stamp)
        except UnavailableError:
            return False
        logger.warning("flush of %s put off: merged with what is recorded", conversation_id)
        return False

    async def _groups(self, states: Series[LiveConversation]) -> dict[ConversationId, Conversation]:
        groups: dict[ConversationId, Conversation] = {}
        for one in (state.conversation_id for state in states):
            if is_group_id(one):
                with contextlib.suppress(UnavailableError):
                    conversation = await self.reader.find(one, version=0)
                    groups |= {one: conversation} if conversation else {}
        return groups


def _due(done: Iterable[bool | Renewal]) -> list[Renewal]:
    return [one for one in done if isinstance(one, Renewal)]


def _concerned(
    states: Series[LiveConversation], groups: Mapping[ConversationId, Conversation]
) -> Iterable[tuple[UserId, ConversationId]]:
    """Yield the members of groups whose receipts moved: for their next sync with a cursor.

    In a pair, both are touched by the acknowledgement itself.
    """
    for group in (groups.get(state.conversation_id) for state in states if not state.told):
        if group:
            yield from ((user, group.id) for user in group.member_ids)


def _group_push(
    state: LiveConversation, groups: Mapping[ConversationId, Conversation]
) -> list[Effect]:
    group = groups.get(state.conversation_id)
    if not state.changed or group is None:
        return []
    members = set(group.member_ids)
    moved = tuple(
        receipt
        for receipt in state.receipts
        if receipt.user_id in state.changed and receipt.user_id in members
    )
    return [Push(ReceiptAdvanced(moved), to) for to in audience(group)]


def _log(done: Acknowledged) -> None:
    if done.outcome == "moved":
        logger.info(
            "acknowledged conversation=%s user=%s delivered=%d read=%d",
            done.receipt.conversation_id,
            done.receipt.user_id,
            done.receipt.delivered,
            done.receipt.read,
        )


def _pushes(conversation: Conversation, state: CallState, done: Acknowledged) -> list[Effect]:
    if done.outcome == "unchanged":
        return []
    event = ReceiptAdvanced((done.receipt,))
    pushes: list[Effect] = []
    if conversation.kind == "direct" and not conversation.blocked_by:
        pushes += [Push(event, to) for to in audience(conversation, but=done.receipt.user_id)]
    if state.has_other_connections:
        pushes.append(Push(event, ToUser(done.receipt.user_id)))
    return pushes
