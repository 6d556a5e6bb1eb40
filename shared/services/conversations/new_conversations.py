"""Starting conversations: a group, or the one direct conversation of a pair."""

from dataclasses import dataclass

from shared.domain.conversations import conversation as rules
from shared.domain.conversations.access import access_conversation
from shared.domain.conversations.conversation import Conversation, Kind
from shared.domain.errors import InvalidError
from shared.domain.events import Effect
from shared.domain.ids import NO_SEQUENCE, UserId, direct_conversation_id
from shared.domain.limits import Limit
from shared.ports import Call, Clock, Ids
from shared.services.admission.admission import Admission
from shared.services.conversations.conversation_writer import ConversationWriter
from shared.services.conversations.conversations import ChangedConversation
from shared.services.conversations.membership import Membership
from shared.services.people.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConversations:
    """Starts conversations.

    Args:
        groups: How many new groups each user may start.
    """

    admission: Admission
    writer: ConversationWriter
    people: People
    membership: Membership
    clock: Clock
    ids: Ids
    groups: Limit

    async def start(
        self, call: Call, *, kind: Kind, member_ids: list[UserId], title: str
    ) -> ChangedConversation:
        """Start a conversation, or return the one direct conversation of a pair.

        Raises:
            InvalidError: A direct conversation has the caller and exactly one other member.
            UserNotFoundError: A member is not a user of the website.
            BlockedError: A block stands between two of the members.
            ConversationFullError: More than 100 members.
            RateLimitedError: Too many new conversations, or new groups.
        """
        others = [user for user in dict.fromkeys(member_ids) if user != call.user_id]
        if kind == "direct":
            return await self._start_direct(call, others)
        effects = await self.admission.admit(call)
        fresh = rules.start_group(
            self.ids.new_conversation_id(),
            caller=call.user_id,
            others=others,
            title=title,
            now=self.clock.now(),
        )
        await self.people.require_reachable(call.user_id, others)
        if call.limit is not None:
            await self.admission.admit(Call(call.user_id, limit=("groups", self.groups)))
        return await self._add(fresh, call.user_id, effects)

    async def _start_direct(self, call: Call, others: list[UserId]) -> ChangedConversation:
        if len(others) != 1:
            raise InvalidError("memberIds: a direct conversation has exactly one other member")
        effects = await self.admission.admit(call)
        conversation_id = direct_conversation_id(call.user_id, others[0])
        existing = await self.writer.find(conversation_id)
        if existing is not None:
            return await self._existing(existing, call.user_id, effects)
        await self.people.require_reachable(call.user_id, others)
        fresh = rules.start_direct(
            conversation_id, caller=call.user_id, other=others[0], now=self.clock.now()
        )
        started = await self._add(fresh, call.user_id, effects)
        await self.people.carry_blocks(call.user_id, others[0])
        return started

    async def _add(
        self, fresh: Conversation, caller: UserId, effects: list[Effect]
    ) -> ChangedConversation:
        added = await self.writer.add(fresh)
        if added is None:  # the other member was quicker
            existing, _ = access_conversation(await self.writer.find(fresh.id), caller)
            return await self._existing(existing, caller, effects)
        effects += await self.membership.complete(added)
        return ChangedConversation(added, NO_SEQUENCE, effects, created=True)

    async def _existing(
        self, existing: Conversation, caller: UserId, effects: list[Effect]
    ) -> ChangedConversation:
        _, member = access_conversation(existing, caller)  # an erased user has left it
        # A crash between the conversation and its memberships may have left this one unwritten.
        await self.membership.put(existing, [member])
        return ChangedConversation(existing, await self.writer.latest(existing), effects)
