"""Conversations: starting one, and changing who is in it and what it is called."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.domain import conversation as rules
from shared.domain.access import access_conversation
from shared.domain.conversation import Conversation, Kind, Member
from shared.domain.errors import (
    BlockedError,
    ForbiddenError,
    InvalidError,
    UserNotFoundError,
)
from shared.domain.events import Effect
from shared.domain.ids import ConversationId, Sequence, UserId, direct_conversation_id
from shared.domain.limits import Limit
from shared.domain.message import MAX_BODY_CHARACTERS
from shared.domain.receipt import Receipt
from shared.domain.text import plain_line
from shared.domain.user import User, blocks_between
from shared.ports import Call, Clock, ConversationStore, Ids, UserStore, VersionConflictError
from shared.services.entrance import Entrance
from shared.services.gate import Gate
from shared.services.membership import Membership
from shared.services.posting import Posting
from shared.services.reader import ConversationReader, receipts_shown
from shared.services.retrying import attempts


@dataclass(frozen=True, slots=True)
class Changed:
    """A conversation as it now is, and whom to tell.

    Args:
        created: This call made it.
    """

    conversation: Conversation
    latest: Sequence
    effects: list[Effect]
    created: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation with everyone's receipts."""

    conversation: Conversation
    latest: Sequence
    receipts: list[Receipt]


@dataclass(frozen=True, slots=True)
class Conversations:
    """Starts and changes conversations. The store's version guards every change."""

    gate: Gate
    entrance: Entrance
    reader: ConversationReader
    store: ConversationStore
    users: UserStore
    membership: Membership
    posting: Posting
    clock: Clock
    ids: Ids
    groups: Limit  # new ones of each user

    async def start(
        self, call: Call, *, kind: Kind, member_ids: list[UserId], title: str
    ) -> Changed:
        """Start a conversation, or return the one direct conversation of a pair.

        Raises:
            InvalidError: A direct conversation is of the caller and exactly one other.
            UserNotFoundError: A member is not a user of the website.
            BlockedError: A block stands between two of the members.
            ConversationFullError: More than 100 members.
            RateLimitedError: Too many new conversations, or new groups.
        """
        others = [user for user in dict.fromkeys(member_ids) if user != call.user_id]
        if kind == "direct":
            return await self._start_direct(call, others)
        effects = await self.gate.enter(call)
        now = self.clock.now()
        fresh = rules.start_group(
            self.ids.new_conversation_id(),
            caller=call.user_id,
            others=others,
            title=title,
            now=now,
        )
        await self._require_reachable(call.user_id, others)
        if call.limit is not None:
            await self.gate.enter(Call(call.user_id, limit=("groups", self.groups)))
        return await self._add(fresh, effects)

    async def open(self, call: Call, conversation_id: ConversationId) -> Opened:
        """Return a conversation with its receipts."""
        entered = await self.entrance.enter(call, conversation_id)
        head, receipts = await self.reader.receipts(entered.conversation)
        every = list(receipts_shown(entered.conversation, receipts, to=call.user_id))
        return Opened(entered.conversation, head.sequence, every)

    async def rename(self, call: Call, conversation_id: ConversationId, *, title: str) -> Changed:
        """Give a group a new title.

        Raises:
            NotFoundError: No such conversation for this caller.
            ForbiddenError: A direct conversation, or the caller is neither owner nor admin.
        """

        def change(conversation: Conversation, by: Member, _latest: Sequence) -> Conversation:
            return rules.rename(conversation, by=by, title=title)

        said = f"renamed the conversation to “{title}”" if title else "removed the title"
        return await self._change(call, conversation_id, change, said=said)

    async def add_members(
        self, call: Call, conversation_id: ConversationId, *, user_ids: list[UserId]
    ) -> Changed:
        """Add users to a group.

        Raises:
            NotFoundError: No such conversation for this caller.
            ForbiddenError: A direct conversation, or the caller is neither owner nor admin, or
                somebody has left the group by themselves.
            UserNotFoundError, BlockedError, ConversationFullError: As for `start`.
        """
        now = self.clock.now()

        def change(conversation: Conversation, by: Member, latest: Sequence) -> Conversation:
            return rules.add_members(conversation, by=by, users=user_ids, latest=latest, now=now)

        entered = await self.entrance.enter(call, conversation_id)
        change(entered.conversation, entered.member, entered.head.sequence)  # refuse early
        joining = [one for one in user_ids if entered.conversation.find_member(one) is None]
        members = entered.conversation.member_ids
        names = await self._require_reachable(call.user_id, joining, among=members)
        said = "added " + ", ".join(names)
        return await self._change(call, conversation_id, change, said=said, entered=True)

    async def remove_member(
        self, call: Call, conversation_id: ConversationId, *, user_id: UserId
    ) -> Changed:
        """Remove a member, or leave; from then on they receive nothing, over any path.

        Raises:
            NotFoundError: No such conversation for this caller, or no such member.
            ForbiddenError: A direct conversation, or the caller may not remove that member.
        """

        def change(conversation: Conversation, by: Member, _latest: Sequence) -> Conversation:
            return rules.remove_member(conversation, by=by, user_id=user_id)

        entered = await self.entrance.enter(call, conversation_id)
        change(entered.conversation, entered.member, entered.head.sequence)  # refuse early
        leaving = user_id == call.user_id
        said = "left" if leaving else f"removed {await self._name(user_id)}"
        return await self._change(call, conversation_id, change, said=said, entered=True)

    async def set_block(self, one: UserId, other: UserId, *, blocked: bool) -> bool:
        """Carry a user's block into the pair's direct conversation; return whether there is one."""
        conversation_id = direct_conversation_id(one, other)
        async for _ in attempts("the conversation"):
            conversation = await self.store.find(conversation_id)
            if conversation is None:
                return False
            changed = rules.set_block(conversation, by=one, blocked=blocked)
            if changed is conversation or await self._replaced(changed):
                return True
        raise AssertionError  # the attempts end by themselves

    async def _start_direct(self, call: Call, others: list[UserId]) -> Changed:
        if len(others) != 1:
            raise InvalidError("memberIds: a direct conversation has exactly one other member")
        effects = await self.gate.enter(call)
        conversation_id = direct_conversation_id(call.user_id, others[0])
        existing = await self.store.find(conversation_id)
        if existing is not None:
            return await self._existing(existing, call.user_id, effects)
        await self._require_reachable(call.user_id, others)
        fresh = rules.start_direct(
            conversation_id, caller=call.user_id, other=others[0], now=self.clock.now()
        )
        started = await self._add(fresh, effects)
        await self._carry_block(call.user_id, others[0])
        return started

    async def _add(self, fresh: Conversation, effects: list[Effect]) -> Changed:
        added = await self.store.add(fresh)
        if added is None:  # the other member was quicker
            found = await self.store.find(fresh.id)
            existing, _ = access_conversation(found, fresh.members[0].user_id)
            return await self._existing(existing, fresh.members[0].user_id, effects)
        self.reader.keep(added)
        effects += await self.membership.complete(added, joined=added.members)
        return Changed(added, Sequence(0), effects, created=True)

    async def _existing(
        self, existing: Conversation, caller: UserId, effects: list[Effect]
    ) -> Changed:
        access_conversation(existing, caller)  # an erased user has left it
        # A crash may have come between the conversation and its memberships: complete them.
        await self.membership.put(existing, [m for m in existing.members if m.user_id == caller])
        head = await self.entrance.head(existing)
        return Changed(existing, head.sequence, effects)

    async def _change(
        self,
        call: Call,
        conversation_id: ConversationId,
        change: Callable[[Conversation, Member, Sequence], Conversation],
        *,
        said: str | None,
        entered: bool = False,
    ) -> Changed:
        effects = [] if entered else (await self.entrance.enter(call, conversation_id)).effects
        async for _ in attempts("the conversation"):
            before, member = access_conversation(
                await self.store.find(conversation_id), call.user_id
            )
            latest = (await self.entrance.head(before)).sequence
            after = change(before, member, latest)
            if after is before:
                return Changed(before, latest, effects)
            if await self._replaced(after):
                return await self._tell(before, after, call.user_id, effects, said)
        raise AssertionError  # the attempts end by themselves

    async def _tell(
        self,
        before: Conversation,
        after: Conversation,
        actor: UserId,
        effects: list[Effect],
        said: str | None,
    ) -> Changed:
        effects += await self.membership.changed(before, after, actor=actor)
        latest = (await self.entrance.head(after)).sequence
        if said and after.members:
            body = f"{await self._name(actor)} {said}"[:MAX_BODY_CHARACTERS]
            posted = await self.posting.post_system_message(after, actor=actor, body=body)
            effects += posted.effects
            latest = posted.message.sequence
        return Changed(after, latest, effects)

    async def _replaced(self, after: Conversation) -> bool:
        try:
            replaced = await self.store.replace(after)
        except VersionConflictError:
            return False
        self.reader.keep(replaced)
        await self.membership.raise_version(replaced)
        await self.membership.touch(replaced)
        return True

    async def _require_reachable(
        self, caller: UserId, others: list[UserId], *, among: Iterable[UserId] = ()
    ) -> list[str]:
        """Return the names of *others*, who may be brought together with *among* and each other.

        A block between any two of them refuses all: otherwise whoever is blocked reaches the
        blocker through a group that somebody else makes. The refusal does not say whose it is.
        """
        everyone = {*others, *among, caller}
        found = {user.id: user for user in await self.users.find_many(everyone)}
        missing = [user for user in others if user not in found or found[user].erased]
        if missing:
            raise UserNotFoundError(f"no such user: {missing[0]}")
        me = found.get(caller) or User(caller, caller)
        if me.erased:
            raise ForbiddenError("this account was erased")
        found[caller] = me
        joining = [found[user] for user in others]
        if any(blocks_between(one, other) for one in joining for other in found.values()):
            raise BlockedError("a block stands between two of the members")
        return [plain_line(found[user].display_name) or user for user in others]

    async def _carry_block(self, one: UserId, other: UserId) -> None:
        # A block may have been put while the conversation was being made: look again after it is.
        pair = {user.id: user for user in await self.users.find_many([one, other])}
        for blocker, blocked in ((one, other), (other, one)):
            if blocker in pair and blocked in pair[blocker].blocked:
                await self.set_block(blocker, blocked, blocked=True)

    async def _name(self, user_id: UserId) -> str:
        user = await self.users.find(user_id)
        return plain_line(user.display_name) or user_id if user else user_id
