"""Flushes: changed heads and receipts go from live state to the store every few seconds."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass
from itertools import batched
from typing import Final, Protocol

from shared.domain.activity import is_renewal_due
from shared.domain.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.events import Effect, Push, ReceiptAdvanced, audience
from shared.domain.ids import ConversationId, UserId, is_group_id
from shared.domain.live import Head
from shared.ports import (
    Bus,
    ConversationHeads,
    ConversationStore,
    FlushState,
    InboxState,
    LiveConversation,
    Reflush,
    VersionConflictError,
)
from shared.services.clearing import Clearing
from shared.services.reader import ConversationReader
from shared.services.renewals import Renewal, Renewals

logger = logging.getLogger(__name__)

_TRIES: Final = 4
_NEVER: Final = 2**53  # microseconds: later than every moment at which receipts can have moved
_FLUSHED_AT_ONCE: Final = 5_000
_SNAPSHOTS: Final = 500  # in one pipeline
_WRITERS: Final = 64


class _LiveState(ConversationHeads, FlushState, InboxState, Protocol):
    """The parts of live state that a flush reads, mends and marks as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFlush:
    """Writes what live state holds of conversations to the store, and tells groups of receipts."""

    reader: ConversationReader
    live: _LiveState
    store: ConversationStore
    clearing: Clearing
    bus: Bus
    renewals: Renewals

    async def flush(self) -> list[Effect]:
        """Write changed heads and receipts to the store, one write per conversation.

        A conversation whose write fails stays marked for the next flush, and does not stop the
        others. Its members are told of the receipts now all the same, because the next flush no
        longer knows whose receipts have moved.
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
            # Members are touched before the marks are taken away. A worker that dies in between
            # leaves the marks, so the next flush touches them again; in the other order nobody
            # would. A touch more costs a client one item in its next sync.
            await self.live.touch(_concerned(states, groups))
            await self.live.flushed(written)
        await self.clearing.queue(states)
        # Renewals come last and take a bounded time, so that no other conversation's flush waits
        # for the memberships of a large group.
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
        # Marked as done, or every flush would read it again and fail.
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
