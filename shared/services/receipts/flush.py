"""Flushing heads and receipts from live state to the store, a few seconds after they changed.

An acknowledgement costs one round trip to live state and no write to the store; a flush writes all
that changed in a conversation at once. What can go wrong, and why nothing is lost by it:

- Live state is lost before a flush. Then the newest watermarks are lost with it. Clients send them
  again, because they compare what they have acknowledged with what the service answers.
- Live state comes back older than its last flush, or two flushes overlap. Each flush names the
  flush that it follows, and the store refuses a flush that does not follow the recorded one. Then
  what is recorded is merged into live state by maximum, and the next flush writes the result. So a
  watermark never goes back.
- A worker dies between the write and its note in live state. The conversation stays marked and is
  flushed again, which changes nothing.
- Receipts change while a flush runs. Live state clears the mark only if nothing has changed since
  the snapshot, so the next flush has the change.

Proved for any order of acknowledgements, flushes and losses by
tests/integration/services/test_receipts.py.
"""

import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final, Protocol

from shared.domain.conversations.activity import is_renewal_due
from shared.domain.conversations.conversation import Conversation
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
from shared.services.conversations.reader import ConversationReader
from shared.services.gathering import gather_at_most
from shared.services.notifications.dismissal import NotificationDismissal
from shared.services.receipts.renewals import Renewal, Renewals

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
    """Writes heads and receipts to the store, and tells groups whose receipts moved."""

    reader: ConversationReader
    live: _LiveState
    store: ConversationStore
    dismissal: NotificationDismissal
    renewals: Renewals
    bus: Bus

    async def flush(self) -> list[Effect]:
        """Write changed heads and receipts to the store, one write per conversation.

        A conversation that fails stays marked, is flushed again, and does not stop the others. Its
        members are told now all the same, because the next flush does not know whose receipts
        moved.
        """
        try:
            waiting = await self.live.dirty_conversations(limit=_FLUSHED_AT_ONCE)
        except UnavailableError:
            return []
        effects: list[Effect] = []
        for batch in batched(waiting, _SNAPSHOTS, strict=False):
            effects += await self._flush(batch)
        return effects

    async def _flush(self, batch: Sequence[ConversationId]) -> list[Effect]:
        try:
            states = await self._snapshots(batch)
        except UnavailableError:
            return []
        done = await gather_at_most(_WRITERS, map(self._save, states))
        written = [state for state, ok in zip(states, done, strict=True) if ok is True]
        groups = await self._groups(states)
        with contextlib.suppress(UnavailableError):
            # Members are touched before the marks are taken away. A worker that dies in between
            # leaves the marks, so the next flush touches them again; in the other order nobody
            # would. A touch too many costs a client one item in its next sync.
            await self.live.touch(_concerned(states, groups))
            await self.live.flushed(written)
        await self.dismissal.queue(states)
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

    async def _snapshots(self, batch: Sequence[ConversationId]) -> list[LiveConversation]:
        try:
            return await self.live.snapshots(batch)
        except UnavailableError:
            raise
        except Exception:
            logger.exception("a flush of %d conversations failed; now one by one", len(batch))
        return [state for each in batch for state in await self._snapshot_alone(each)]

    async def _snapshot_alone(self, conversation_id: ConversationId) -> list[LiveConversation]:
        try:
            return await self.live.snapshots([conversation_id])
        except UnavailableError:
            raise
        except Exception as error:
            logger.exception("flush of %s: goes into the queue", conversation_id)
            await self.bus.send(Reflush(conversation_id, type(error).__name__))
        # Marked as done; otherwise every flush would fail at it again.
        await self.live.flushed([LiveConversation(conversation_id, Head(), (), (), _NEVER)])
        return []

    async def _save(self, state: LiveConversation) -> bool | Renewal:
        """Record *state*; return False to try again later, or the renewal that must come first."""
        if not state.head.is_cached:
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
        """Merge what is recorded into live state for the next flush; True if nothing is recorded.

        If *state* does follow the recorded flush, the store has refused it because memberships are
        due for a renewal (`Renewals`); then return that renewal.
        """
        conversation_id, active_at = state.conversation_id, state.head.at
        try:
            recorded = await self.store.find_with_state(conversation_id)
            if recorded is None:
                return True
            conversation, flushed = recorded
            follows = flushed.flush_id in {0, state.previous_flush_id}
            if follows and active_at and is_renewal_due(flushed.active_from, active_at):
                return Renewal(state, conversation, active_at)
            await self.live.seed(conversation, None, flushed.receipts, flushed=flushed.flush_id)
        except UnavailableError:
            return False
        logger.warning("flush of %s put off: merged with what is recorded", conversation_id)
        return False

    async def _groups(
        self, states: Sequence[LiveConversation]
    ) -> dict[ConversationId, Conversation]:
        groups: dict[ConversationId, Conversation] = {}
        for conversation_id in (state.conversation_id for state in states):
            if is_group_id(conversation_id):
                with contextlib.suppress(UnavailableError):
                    conversation = await self.reader.find(conversation_id, version=0)
                    groups |= {conversation_id: conversation} if conversation else {}
        return groups


def _due(done: Iterable[bool | Renewal]) -> list[Renewal]:
    return [result for result in done if isinstance(result, Renewal)]


def _concerned(
    states: Sequence[LiveConversation], groups: Mapping[ConversationId, Conversation]
) -> Iterable[tuple[UserId, ConversationId]]:
    """Yield the members of groups whose receipts moved, whose next sync by a cursor tells of it.

    Both members of a pair are touched by the acknowledgement itself.
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
