"""Erasing one user: what is removed where, step by step, and what stays and why.

The user may go on sending while they are erased, over every connection and call they have, and a
send that was let in may reach the store long after (its worker may be slow for minutes). An erasure
that said it was done must be done all the same. So:

1. The account becomes a tombstone, in the store first, then in live state. From the second on every
   call is refused in the round trip it makes anyway; from the first on, also after live state was
   lost (`ErasedUsers`). What is under way then was let in before.
2. The user is withdrawn from every conversation: nobody new can be let in by a stale copy.
3. Messages are emptied, in a look through all conversations. Then the account counts as erased, no
   more as being erased, and looks follow until a whole one finds nothing. Only then the answer says
   that it is done. The change feed leaves those alone who are being erased, so that the receipt
   counts their messages; what it passed over is in the looks that follow.
4. A send that reaches the store even later finds in its second round trip to live state that its
   sender is erased: it empties the message itself and is refused. Where its worker has died, the
   change feed of messages brings the message to `MessageEraser.empty_late`.

Every step notes the tombstone in live state again, in case that was lost between.
Proved by tests/integration/services/test_erasure_races.py and, on the stack,
tests/integration/app/test_privacy.py.
"""

import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from shared.domain.conversation import Conversation, withdraw
from shared.domain.errors import UnavailableError
from shared.domain.events import ConversationRemoved, Effect, Push, ToUser
from shared.domain.ids import ConversationId, UserId
from shared.domain.presence import Presence
from shared.domain.user import User, tombstone
from shared.ports import (
    ConnectionHub,
    ConversationStore,
    LiveState,
    UserStore,
    VersionConflictError,
)
from shared.services.erased_users import ErasedUsers
from shared.services.gate import Gate
from shared.services.membership import Membership
from shared.services.message_eraser import MessageEraser
from shared.services.privacy import BEGINNING, Portion, Position, Trail
from shared.services.reader import ConversationReader
from shared.services.retrying import attempts

logger = logging.getLogger(__name__)

_CLOSED: Final = "this account was erased"
_LAST_LOOK: Final = 2
_FILES: Final = "files with their small copies and grants"

# What an erasure leaves, and why: (where, what, why).
KEPT: Final = (
    (
        "cosmos/messages",
        "the emptied items: sequence, time, and the user's id as sender",
        "sequences have no gaps: without these items no other member could page past them",
    ),
    (
        "cosmos/conversations",
        "the user's id in direct conversations, among those who left, and in receipts",
        "the other members' history, and who may see it, hang on them; an id is no name",
    ),
    (
        "cosmos/messages",
        "what others wrote, the user's name in it too, and others' lines such as \"added ...\"",
        "it is the data of those who wrote it",
    ),
    (
        "cosmos/users",
        "an item that says that this id is erased; the id in others' contacts and blocks",
        "so that no late feed or token brings the user back; the lists are the website's",
    ),
    (
        "backups",
        "all of it, until they lapse: Cosmos DB 7 days, deleted blobs 7 days",
        "a restore would bring it back: erase again after one",
    ),
    (
        "redis",
        "that this account is erased, for 90 days",
        "so that calls and late sends of the user are refused at once",
    ),
    (
        "blob/attachments",
        "uploads that were never sent, for a day at most",
        "the hourly sweep deletes them",
    ),
    (
        "logs, queue",
        "ids in logs until they lapse; what a function failed on, its text too, in dead letters",
        "dead letters wait for a person: replay or remove them, which operations.md tells",
    ),
)


@dataclass(frozen=True, slots=True)
class Removed:
    """One line of a receipt: how much of what was removed where."""

    store: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class ErasureStep:
    """What one step has removed, whom to tell, and where the next begins; None after the last."""

    removed: list[Removed]
    effects: list[Effect]
    position: Position | None


@dataclass(slots=True)
class _Tally:
    """Counts what a step removes, and collects whom to tell."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    effects: list[Effect] = field(default_factory=list)

    def add(self, store: str, what: str, count: int = 1) -> None:
        if count:
            self.counts[store, what] += count

    def step(self, position: Position | None) -> ErasureStep:
        lines = [Removed(*key, count) for key, count in self.counts.items() if count]
        return ErasureStep(lines, self.effects, position)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Erases users. Every step may be repeated: what is gone already counts as nothing."""

    trail: Trail
    gate: Gate
    reader: ConversationReader
    membership: Membership
    store: ConversationStore
    users: UserStore
    live: LiveState
    eraser: MessageEraser
    erased: ErasedUsers
    hub: ConnectionHub

    async def step(self, user_id: UserId, position: Position | None) -> ErasureStep:
        """Take the step at *position*, from None to None.

        Raises:
            UserNotFoundError: Chat has never heard of this user.
            UnavailableError: A service did not answer; take this step again.
        """
        tally = _Tally()
        user = await self.trail.user(user_id)
        if position is None or not user.erased:
            await self._erase_account(user, tally)
            await self.erased.note(user_id, done=False)
            return tally.step(BEGINNING)
        await self.erased.note(user_id, done=position.look == _LAST_LOOK)
        portions, following = await self.trail.walk(
            user_id, position, with_messages=position.look > 0
        )
        for portion in portions:
            await self._erase_portion(user_id, portion, tally)
        found = position.found or bool(tally.counts)
        if following is not None:
            return tally.step(replace(following, look=position.look, found=found))
        if found or position.look < _LAST_LOOK:
            return tally.step(replace(BEGINNING, look=min(position.look + 1, _LAST_LOOK)))
        await self._forget(user_id, tally)
        return tally.step(None)

    async def _erase_account(self, user: User, tally: _Tally) -> None:
        async for _ in attempts("the user"):
            if user.erased:
                return
            # First: once the subscriptions are gone, nothing names these items any more.
            for one in user.subscriptions:
                await self.users.release_endpoint(one.endpoint, user.id)
            try:
                await self.users.replace(tombstone(user))
            except VersionConflictError:
                user = await self.trail.user(user.id)
                continue
            tally.add("cosmos/users", "profile and settings")
            tally.add("cosmos/users", "contacts", len(user.contacts))
            tally.add("cosmos/users", "blocks", len(user.blocked))
            tally.add("cosmos/users", "push subscriptions", len(user.subscriptions))
            return

    async def _erase_portion(self, user_id: UserId, portion: Portion, tally: _Tally) -> None:
        if portion.is_first:
            await self._withdraw(user_id, portion.conversation_id, tally)
        content = [message for message in portion.messages if not message.is_erased]
        tally.add("blob/attachments", _FILES, await self.eraser.empty(portion.messages))
        tally.add("cosmos/messages", "contents of messages", len(content))

    async def _withdraw(
        self, user_id: UserId, conversation_id: ConversationId, tally: _Tally
    ) -> None:
        async for _ in attempts("the conversation"):
            before = await self.store.find(conversation_id)
            if before is None:
                return
            after = withdraw(before, user_id=user_id)
            if after is before or await self._replaced(after):
                await self._follow(user_id, before, after, tally)
                return

    async def _replaced(self, after: Conversation) -> bool:
        try:
            self.reader.keep(await self.store.replace(after))
        except VersionConflictError:
            return False
        await self.membership.raise_version(after)
        return True

    async def _follow(
        self, user_id: UserId, before: Conversation, after: Conversation, tally: _Tally
    ) -> None:
        if after is before:  # not there any more, but a crash may have come before this
            await self.membership.inbox.forget(user_id, before.id)
            return
        what = "direct conversations closed" if after.kind == "direct" else "groups left"
        tally.add("cosmos/conversations", what)
        tally.add("cosmos/memberships", "memberships")
        if after.kind == "group":
            tally.effects += await self.membership.changed(before, after, actor=user_id)
            return
        await self.membership.inbox.forget(user_id, after.id)
        tally.effects.append(Push(ConversationRemoved(after.id), ToUser(user_id)))

    async def _forget(self, user_id: UserId, tally: _Tally) -> None:
        # Last of all: until here an open page is told of each conversation it must drop.
        await self.hub.close(ToUser(user_id), reason=_CLOSED)
        with contextlib.suppress(UnavailableError):
            tally.effects += await self.gate.announce(Presence(user_id, "offline", None))
        tally.add("redis", "keys of the user", await self.live.forget(user_id))
        logger.info("erased user=%s", user_id)
