"""A conversation and its members: who may join, leave and change it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared.domain.errors import (
    ConflictError,
    ConversationFullError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.text import is_unicode, plain_line

Kind = Literal["direct", "group"]
Role = Literal["owner", "admin", "member"]

MAX_MEMBERS = 100  # docs/protocol.md#limits
MAX_TITLE_CHARACTERS = 200
_MAX_LEFT = 50
_MAX_LEFT_BY_CHOICE = 500  # about 20 KB of ids of the usual lengths


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a conversation.

    Args:
        history_from: First sequence this member may see.
        muted_until: No notifications before this time; None means not muted.
    """

    user_id: UserId
    role: Role
    joined_at: datetime
    history_from: SequenceNumber
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as stored.

    Args:
        version: Grows by one with every change of members, title or block. Caches compare it.
        blocked_by: The members of a direct conversation who block the other member.
        left: Users who left or were removed lately, newest last. A reconciliation takes them out of
            the SignalR group again. An erased user stays a member of a direct conversation, which
            always has two, and stands here as well.
        left_by_choice: Users who left by themselves, newest last. Nobody may add them again.
    """

    id: ConversationId
    kind: Kind
    title: str
    members: tuple[Member, ...]
    created_at: datetime
    version: int = 1
    blocked_by: tuple[UserId, ...] = ()
    left: tuple[UserId, ...] = ()
    left_by_choice: tuple[UserId, ...] = ()

    def find_member(self, user_id: UserId) -> Member | None:
        if user_id in self.left:
            return None
        return next((member for member in self.members if member.user_id == user_id), None)

    @property
    def present(self) -> tuple[Member, ...]:
        """Return the members who have not left.

        These are all members, except in a direct conversation with an erased user.
        """
        return tuple(member for member in self.members if member.user_id not in self.left)

    @property
    def member_ids(self) -> tuple[UserId, ...]:
        return tuple(member.user_id for member in self.members)

    def others(self, user_id: UserId) -> tuple[UserId, ...]:
        return tuple(other for other in self.member_ids if other != user_id)


def start_direct(
    conversation_id: ConversationId, *, caller: UserId, other: UserId, now: datetime
) -> Conversation:
    """Return the new direct conversation of *caller* and *other*."""
    members = tuple(Member(user, "member", now, SequenceNumber(1)) for user in (caller, other))
    return Conversation(conversation_id, "direct", "", members, now)


def start_group(
    conversation_id: ConversationId,
    *,
    caller: UserId,
    others: Iterable[UserId],
    title: str,
    now: datetime,
) -> Conversation:
    """Return a new group owned by *caller*.

    Raises:
        ConversationFullError: More than 100 members, the caller included.
    """
    joined = [user for user in dict.fromkeys(others) if user != caller]
    if len(joined) + 1 > MAX_MEMBERS:
        raise ConversationFullError(f"a conversation has at most {MAX_MEMBERS} members")
    owner = Member(caller, "owner", now, SequenceNumber(1))
    members = (owner, *(Member(user, "member", now, SequenceNumber(1)) for user in joined))
    return Conversation(conversation_id, "group", title, members, now)


def rename(conversation: Conversation, *, by: Member, title: str) -> Conversation:
    """Return *conversation* with a new title, or itself when the title is the same.

    Raises:
        ForbiddenError: A direct conversation, or *by* is neither owner nor admin.
    """
    _require_manager(conversation, by)
    if title == conversation.title:
        return conversation
    return replace(conversation, title=title, version=conversation.version + 1)


def add_members(
    conversation: Conversation,
    *,
    by: Member,
    users: Iterable[UserId],
    latest: SequenceNumber,
    now: datetime,
) -> Conversation:
    """Return *conversation* with *users* added, or itself when all are members already.

    A new member sees what is written from now on: `history_from` is the next sequence.

    Raises:
        ForbiddenError: A direct conversation, or *by* is neither owner nor admin; or one of *users*
            has left by themselves. Somebody who was removed may be added again.
        ConversationFullError: The 101st member.
    """
    _require_manager(conversation, by)
    present = set(conversation.member_ids)
    joining = [user for user in dict.fromkeys(users) if user not in present]
    if not joining:
        return conversation
    if any(user in conversation.left_by_choice for user in joining):
        raise ForbiddenError("somebody who left the group cannot be added again")
    if len(present) + len(joining) > MAX_MEMBERS:
        raise ConversationFullError(f"a conversation has at most {MAX_MEMBERS} members")
    newcomers = (Member(user, "member", now, SequenceNumber(latest + 1)) for user in joining)
    return replace(
        conversation,
        members=(*conversation.members, *newcomers),
        left=tuple(user for user in conversation.left if user not in joining),
        version=conversation.version + 1,
    )


def remove_member(conversation: Conversation, *, by: Member, user_id: UserId) -> Conversation:
    """Return *conversation* without *user_id*, who leaves or is removed by *by*.

    When the last owner leaves, the longest-standing admin, else the longest-standing member,
    becomes owner.

    Raises:
        ForbiddenError: A direct conversation; or *by* may not remove that member: an admin
            removes members, an owner removes anyone.
        NotFoundError: *user_id* is no member.
    """
    if conversation.kind == "direct":
        raise ForbiddenError("nobody leaves a direct conversation: mute it or block the other")
    leaving = conversation.find_member(user_id)
    if leaving is None:
        raise NotFoundError("no such member")
    if by.user_id != user_id and not _may_remove(by.role, leaving.role):
        raise ForbiddenError(f"as {by.role} you cannot remove this member")
    staying = tuple(member for member in conversation.members if member.user_id != user_id)
    by_choice = conversation.left_by_choice
    if by.user_id == user_id:
        by_choice = (*(left for left in by_choice if left != user_id), user_id)
    return replace(
        conversation,
        members=_with_owner(staying),
        left_by_choice=by_choice[-_MAX_LEFT_BY_CHOICE:],
        left=(*conversation.left, user_id)[-_MAX_LEFT:],
        version=conversation.version + 1,
    )


def set_block(conversation: Conversation, *, by: UserId, blocked: bool) -> Conversation:
    """Return the direct *conversation* with *by*'s block put or lifted.

    Return the conversation itself when nothing changes by that.

    Raises:
        ConflictError: A group: only direct conversations can be blocked.
    """
    if conversation.kind != "direct":
        raise ConflictError("only a direct conversation can be blocked")
    if (by in conversation.blocked_by) == blocked:
        return conversation
    others = tuple(user for user in conversation.blocked_by if user != by)
    blocked_by = (*others, by) if blocked else others
    return replace(conversation, blocked_by=blocked_by, version=conversation.version + 1)


def withdraw(conversation: Conversation, *, user_id: UserId) -> Conversation:
    """Return *conversation* without an erased user, or itself when they are not in it.

    The user leaves a group, and its ownership passes on. A direct conversation is closed instead:
    its other member keeps what is in it, and nobody can write to it any more.
    """
    member = conversation.find_member(user_id)
    if member is None:
        return conversation
    if conversation.kind == "group":
        return remove_member(conversation, by=member, user_id=user_id)
    return replace(
        conversation,
        blocked_by=tuple(dict.fromkeys((*conversation.blocked_by, user_id))),
        left=(*conversation.left, user_id),
        version=conversation.version + 1,
    )


def title_of(text: object) -> str:
    """Return *text* as a title: one plain line, as `plain_line` makes it.

    Raises:
        InvalidError: Not a string of at most 200 characters, or not valid Unicode.
    """
    if not isinstance(text, str) or len(text) > MAX_TITLE_CHARACTERS or not is_unicode(text):
        raise InvalidError(f"title: must be a string of at most {MAX_TITLE_CHARACTERS} characters")
    return plain_line(text)


def _require_manager(conversation: Conversation, by: Member) -> None:
    if conversation.kind == "direct":
        raise ForbiddenError("a direct conversation has no title and keeps its two members")
    if by.role == "member":
        raise ForbiddenError("only an owner or an admin may do that")


def _may_remove(by: Role, whom: Role) -> bool:
    return by == "owner" or (by == "admin" and whom == "member")


def _with_owner(members: tuple[Member, ...]) -> tuple[Member, ...]:
    if not members or any(member.role == "owner" for member in members):
        return members
    heir = next((member for member in members if member.role == "admin"), members[0])
    return tuple(replace(m, role="owner") if m is heir else m for m in members)
