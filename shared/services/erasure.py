"""Erasing one user: what is removed where, step by step, and what stays and why."""

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from shared.domain.conversation import Conversation, withdraw
from shared.domain.errors import UnavailableError
from shared.domain.events import ConversationRemoved, Effect, Push, ToUser
from shared.domain.ids import ConversationId, UserId
from shared.domain.message import Message
from shared.domain.presence import Presence
from shared.domain.user import User, tombstone
from shared.ports import (
    BlobStore,
    ConversationStore,
    LiveState,
    MessageStore,
    UserStore,
    VersionConflictError,
)
from shared.services.gate import Gate
from shared.services.membership import Membership
from shared.services.privacy import BEGINNING, Portion, Position, Trail
from shared.services.reader import ConversationReader

logger = logging.getLogger(__name__)

_TRIES: Final = 8
_WRITERS: Final = 8

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
    messages: MessageStore
    users: UserStore
    live: LiveState
    blobs: BlobStore

    async def step(self, user_id: UserId, position: Position | None) -> ErasureStep:
        """Take the step at *position*, from None to None.

        The account goes first: from then on the user cannot connect, nor be brought back.

        Raises:
            UserNotFoundError: Chat has never heard of this user.
            UnavailableError: A service did not answer; take this step again.
        """
        tally = _Tally()
        user = await self.trail.user(user_id)
        if position is None or not user.erased:
            await self._erase_account(user, tally)
            return tally.step(BEGINNING)
        portions, following = await self.trail.walk(user_id, position)
        for portion in portions:
            await self._erase_portion(user_id, portion, tally)
        if following is None:
            await self._forget(user_id, tally)
        return tally.step(following)

    async def _erase_account(self, user: User, tally: _Tally) -> None:
        for _ in range(_TRIES):
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
        raise UnavailableError("the user is being changed")

    async def _erase_portion(self, user_id: UserId, portion: Portion, tally: _Tally) -> None:
        if portion.is_first:
            await self._withdraw(user_id, portion.conversation_id, tally)
        slots = asyncio.Semaphore(_WRITERS)

        async def one(message: Message) -> None:
            async with slots:
                await self._erase_message(message, tally)

        content = [message for message in portion.messages if not message.is_erased]
        await asyncio.gather(*map(one, content))
        if portion.messages:
            await self._refresh(portion.messages[-1])

    async def _withdraw(
        self, user_id: UserId, conversation_id: ConversationId, tally: _Tally
    ) -> None:
        for _ in range(_TRIES):
            before = await self.store.find(conversation_id)
            if before is None:
                return
            after = withdraw(before, user_id=user_id)
            if after is before or await self._replaced(after):
                await self._follow(user_id, before, after, tally)
                return
        raise UnavailableError("the conversation is being changed")

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

    async def _erase_message(self, message: Message, tally: _Tally) -> None:
        # Files first: while the message still names them, a repeated step finds them again.
        for attachment in message.attachments:
            await self.blobs.settle(message.conversation_id, attachment.attachment_id, keep=False)
            tally.add("blob/attachments", "files with their small copies and grants")
        await self.messages.erase(message)
        tally.add("cosmos/messages", "contents of messages")

    async def _refresh(self, erased: Message) -> None:
        # The newest message that live state knows is kept there, for the inbox. One after the last
        # erased so far is another's, or a later step erases it.
        if not await self._is_shown(erased):
            return
        conversation = await self.reader.find(erased.conversation_id, version=0)
        if conversation is not None:
            await self.reader.recover(conversation)
        if await self._is_shown(erased):
            raise UnavailableError("the store lags behind")

    async def _is_shown(self, erased: Message) -> bool:
        (summary,) = await self.live.summaries(erased.sender_id, [erased.conversation_id])
        last = summary.last
        if last is None or last.sender_id != erased.sender_id:
            return False
        return last.sequence <= erased.sequence and not last.is_erased

    async def _forget(self, user_id: UserId, tally: _Tally) -> None:
        with contextlib.suppress(UnavailableError):
            tally.effects += await self.gate.announce(Presence(user_id, "offline", None))
        tally.add("redis", "keys of the user", await self.live.forget(user_id))
        logger.info("erased user=%s", user_id)
