"""Erasing one user: what is removed where, step by step, and what stays and why.

The user may go on sending while they are erased, over every connection and call that they have, and
a message of an admitted call may reach the store minutes later. An erasure that has said that it is
done must be done all the same. So:

1. The account becomes a tombstone, in the store first and then in live state. Once live state has
   it, every call is refused in the round trip that it makes anyway. Once the store has it, that is
   so after a loss of live state too (`ErasedUsers`). Calls that are under way were admitted before.
2. The user is withdrawn from every conversation, so that no stale copy admits them.
3. Messages are emptied in a look through all conversations. Then the account counts as erased, and
   no more as being erased, and more looks follow until a whole look finds nothing. Only then the
   answer says that the erasure is done. The change feed leaves the messages of users alone who are
   being erased, so that the erasure counts them; the looks that follow find them.
4. A send that reaches the store even later learns in its second round trip to live state that its
   sender is erased. It empties the message itself and is refused. Where its worker has died, the
   change feed brings the message to `MessageEraser.empty_late`.

Every step notes the tombstone in live state again, in case live state was lost in between. Proved
by tests/integration/services/test_erasure_races.py and, on the stack, by
tests/integration/app/test_privacy.py.
"""

from dataclasses import dataclass, replace
from typing import Final

from shared.domain.conversations.conversation import Conversation, withdraw
from shared.domain.events import ConversationRemoved, Effect, Push, ToUser
from shared.domain.ids import ConversationId, UserId
from shared.services.conversations.conversation_writer import ConversationWriter
from shared.services.conversations.membership import Membership
from shared.services.user_data.account_eraser import AccountEraser, Tally
from shared.services.user_data.message_eraser import MessageEraser
from shared.services.user_data.walk import BEGINNING, Batch, Position, UserDataWalk

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
    """One line of the answer: how much of what was removed where."""

    store: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class ErasureStep:
    """What a step has removed, whom to tell, and where the next begins; None after the last."""

    removed: list[Removed]
    effects: list[Effect]
    position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases users. Every step may be repeated: what is already gone is not counted again."""

    walk: UserDataWalk
    account: AccountEraser
    writer: ConversationWriter
    membership: Membership
    eraser: MessageEraser

    async def step(self, user_id: UserId, position: Position | None) -> ErasureStep:
        """Take the step at *position*, from None to None.

        Raises:
            UserNotFoundError: Chat has never heard of this user.
            UnavailableError: A service did not answer; take this step again.
        """
        tally = Tally()
        user = await self.walk.user(user_id)
        if position is None or not user.erased:
            await self.account.erase(user, tally)
            return _step(tally, BEGINNING)
        await self.account.note(user_id, done=position.look == _LAST_LOOK)
        batches, following = await self.walk.batches(
            user_id, position, with_messages=position.look > 0
        )
        for batch in batches:
            await self._erase_batch(user_id, batch, tally)
        found = position.found or bool(tally.counts)
        if following is not None:
            return _step(tally, replace(following, look=position.look, found=found))
        if found or position.look < _LAST_LOOK:
            return _step(tally, replace(BEGINNING, look=min(position.look + 1, _LAST_LOOK)))
        await self.account.forget(user_id, tally)
        return _step(tally, None)

    async def _erase_batch(self, user_id: UserId, batch: Batch, tally: Tally) -> None:
        if batch.is_first:
            await self._withdraw(user_id, batch.conversation_id, tally)
        content = [message for message in batch.messages if not message.is_erased]
        tally.add("blob/attachments", _FILES, await self.eraser.empty(batch.messages))
        tally.add("cosmos/messages", "contents of messages", len(content))

    async def _withdraw(
        self, user_id: UserId, conversation_id: ConversationId, tally: Tally
    ) -> None:
        async def change(conversation: Conversation) -> Conversation:
            return withdraw(conversation, user_id=user_id)

        done = await self.writer.change(conversation_id, change)
        if done is not None:
            await self._follow(user_id, *done, tally)

    async def _follow(
        self, user_id: UserId, before: Conversation, after: Conversation, tally: Tally
    ) -> None:
        if after is before:  # the user has left already, but a crash may have come before this
            await self.membership.forget(user_id, before.id)
            return
        what = "direct conversations closed" if after.kind == "direct" else "groups left"
        tally.add("cosmos/conversations", what)
        tally.add("cosmos/memberships", "memberships")
        if after.kind == "group":
            tally.effects += await self.membership.changed(before, after, actor=user_id)
            return
        await self.membership.forget(user_id, after.id)
        tally.effects.append(Push(ConversationRemoved(after.id), ToUser(user_id)))


def _step(tally: Tally, position: Position | None) -> ErasureStep:
    removed = [Removed(*key, count) for key, count in tally.counts.items() if count]
    return ErasureStep(removed, tally.effects, position)
