"""Changing who is in a group, and what it is called."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.conversations import conversation as rules
from shared.domain.conversations.access import access_conversation
from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.errors import NotFoundError
from shared.domain.events import Effect
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.messages.message import MAX_BODY_CHARACTERS
from shared.ports import Call, Clock
from shared.services.admission.admission import Admission
from shared.services.conversations.conversation_writer import ConversationWriter
from shared.services.conversations.membership import Membership
from shared.services.messages.posting import Posting
from shared.services.people.people import People

type Change = Callable[[Conversation, Member, SequenceNumber], Conversation]


@dataclass(frozen=True, slots=True)
class ChangedConversation:
    """A conversation as it is now, and whom to tell.

    Args:
        latest: The sequence of its newest message.
        created: This call started it.
    """

    conversation: Conversation
    latest: SequenceNumber
    effects: list[Effect]
    created: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """Changes conversations.

    Each change is made twice: on the copy that admitted the call, so that a refusal costs nothing
    more, and then on what the store has, again until no other change comes between.
    """

    admission: Admission
    writer: ConversationWriter
    people: People
    membership: Membership
    posting: Posting
    clock: Clock

    async def rename(
        self, call: Call, conversation_id: ConversationId, *, title: str
    ) -> ChangedConversation:
        """Give a group a new title.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            ForbiddenError: A direct conversation, or the caller is neither owner nor admin.
        """

        def change(conversation: Conversation, by: Member, _latest: SequenceNumber) -> Conversation:
            return rules.rename(conversation, by=by, title=title)

        admitted = await self.admission.admit_to(call, conversation_id)
        line = f"renamed the conversation to “{title}”" if title else "removed the title"
        return await self._change(call, conversation_id, change, admitted.effects, line)

    async def add_members(
        self, call: Call, conversation_id: ConversationId, *, user_ids: list[UserId]
    ) -> ChangedConversation:
        """Add users to a group.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            ForbiddenError: A direct conversation, or the caller is neither owner nor admin, or
                somebody has left the group by themselves.
            UserNotFoundError: One of them is not a user of the website.
            BlockedError: A block stands between two of the members.
            ConversationFullError: More than 100 members.
        """
        now = self.clock.now()

        def change(conversation: Conversation, by: Member, latest: SequenceNumber) -> Conversation:
            return rules.add_members(conversation, by=by, users=user_ids, latest=latest, now=now)

        admitted = await self.admission.admit_to(call, conversation_id)
        conversation = admitted.conversation
        change(conversation, admitted.member, admitted.head.sequence)
        joining = [user for user in user_ids if conversation.find_member(user) is None]
        names = await self.people.require_reachable(
            call.user_id, joining, among=conversation.member_ids
        )
        return await self._change(call, conversation_id, change, [], "added " + ", ".join(names))

    async def remove_member(
        self, call: Call, conversation_id: ConversationId, *, user_id: UserId
    ) -> ChangedConversation:
        """Remove a member, or leave; from then on the member receives nothing, over any path.

        Raises:
            NotFoundError: There is no such conversation for this caller, or no such member.
            ForbiddenError: A direct conversation, or the caller may not remove that member.
        """

        def change(conversation: Conversation, by: Member, _latest: SequenceNumber) -> Conversation:
            return rules.remove_member(conversation, by=by, user_id=user_id)

        admitted = await self.admission.admit_to(call, conversation_id)
        change(admitted.conversation, admitted.member, admitted.head.sequence)
        leaves = user_id == call.user_id
        line = "left" if leaves else f"removed {await self.people.name(user_id)}"
        return await self._change(call, conversation_id, change, [], line)

    async def _change(
        self,
        call: Call,
        conversation_id: ConversationId,
        change: Change,
        effects: list[Effect],
        line: str,
    ) -> ChangedConversation:
        latest = SequenceNumber(0)

        async def changed(conversation: Conversation) -> Conversation:
            nonlocal latest
            _, member = access_conversation(conversation, call.user_id)
            latest = await self.writer.latest(conversation)
            return change(conversation, member, latest)

        done = await self.writer.change(conversation_id, changed)
        if done is None:
            raise NotFoundError("no such conversation")
        before, after = done
        if after is before:
            return ChangedConversation(before, latest, effects)
        return await self._tell(before, after, call.user_id, effects, line)

    async def _tell(
        self,
        before: Conversation,
        after: Conversation,
        actor: UserId,
        effects: list[Effect],
        line: str,
    ) -> ChangedConversation:
        effects += await self.membership.changed(before, after, actor=actor)
        if not after.members:
            return ChangedConversation(after, await self.writer.latest(after), effects)
        body = f"{await self.people.name(actor)} {line}"[:MAX_BODY_CHARACTERS]
        posted = await self.posting.post_system_message(after, actor=actor, body=body)
        return ChangedConversation(after, posted.message.sequence, effects + posted.effects)
