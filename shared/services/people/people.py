"""Who may be brought together in a conversation, and what a block between two users closes."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.conversations import conversation as rules
from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import BlockedError, ForbiddenError, UserNotFoundError
from shared.domain.ids import UserId, direct_conversation_id
from shared.domain.people.user import User, blocks_between
from shared.domain.text import plain_line
from shared.ports import UserStore
from shared.services.conversations.conversation_writer import ConversationWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Looks users up for conversations, and carries blocks into the conversations of two."""

    users: UserStore
    writer: ConversationWriter

    async def require_reachable(
        self, caller: UserId, others: list[UserId], *, among: Iterable[UserId] = ()
    ) -> list[str]:
        """Return the names of *others*, who may be brought together with *among* and each other.

        A block between any two of them refuses all. Otherwise a blocked user would reach the
        blocker through a group that somebody else starts. The refusal does not say whose block it
        is.

        Raises:
            UserNotFoundError: One of *others* is not a user, or was erased.
            ForbiddenError: The caller was erased.
            BlockedError: A block stands between two of them.
        """
        everyone = {*others, *among, caller}
        users = {user.id: user for user in await self.users.find_many(everyone)}
        missing = [user for user in others if user not in users or users[user].erased]
        if missing:
            raise UserNotFoundError(f"no such user: {missing[0]}")
        users.setdefault(caller, User(caller, caller))
        if users[caller].erased:
            raise ForbiddenError("this account was erased")
        joining = [users[user] for user in others]
        if any(blocks_between(one, other) for one in joining for other in users.values()):
            raise BlockedError("a block stands between two of the members")
        return [plain_line(users[user].display_name) or user for user in others]

    async def name(self, user_id: UserId) -> str:
        """Return a user's name as one plain line, or their id when they have none."""
        user = await self.users.find(user_id)
        return plain_line(user.display_name) or user_id if user else user_id

    async def set_block(self, one: UserId, other: UserId, *, blocked: bool) -> bool:
        """Put or lift *one*'s block in the pair's direct conversation; tell whether there is one.

        Raises:
            UnavailableError: The store did not answer.
        """

        async def change(conversation: Conversation) -> Conversation:
            return rules.set_block(conversation, by=one, blocked=blocked)

        return await self.writer.change(direct_conversation_id(one, other), change) is not None

    async def carry_blocks(self, one: UserId, other: UserId) -> None:
        """Put the blocks between two users into the direct conversation that was just started.

        A block may be put while the conversation is being started, and then finds none to close. So
        whoever has started the conversation looks for blocks afterwards.
        """
        pair = {user.id: user for user in await self.users.find_many([one, other])}
        for blocker, blocked in ((one, other), (other, one)):
            if blocker in pair and blocked in pair[blocker].blocked:
                await self.set_block(blocker, blocked, blocked=True)
