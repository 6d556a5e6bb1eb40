"""Conversations and their members, and each member's own view of them."""

from dataclasses import dataclass

from shared.config import Settings
from shared.ports import Ports
from shared.services.admission.build import Basis
from shared.services.conversations.conversation_writer import ConversationWriter
from shared.services.conversations.conversations import Conversations
from shared.services.conversations.group_members import GroupMembers
from shared.services.conversations.membership import Membership
from shared.services.conversations.muting import Muting
from shared.services.conversations.new_conversations import NewConversations
from shared.services.inbox.background_reconciliation import BackgroundReconciliation
from shared.services.inbox.inbox import Inbox
from shared.services.inbox.order import InboxOrder
from shared.services.inbox.recorded_activity import RecordedActivity
from shared.services.inbox.sync import Sync
from shared.services.locks import UserLocks
from shared.services.messages.posting import Posting
from shared.services.people.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationServices:
    """Conversations and their members, and each member's own view of them."""

    inbox: Inbox
    sync: Sync
    groups: GroupMembers
    membership: Membership
    writer: ConversationWriter
    people: People
    new_conversations: NewConversations
    conversations: Conversations
    muting: Muting


def build_conversations(
    ports: Ports, settings: Settings, basis: Basis, posting: Posting
) -> ConversationServices:
    inbox = build_inbox(ports, basis)
    groups = GroupMembers(hub=ports.hub, presence=ports.presence)
    membership = Membership(
        reader=basis.reader,
        live=ports.live,
        memberships=ports.memberships,
        groups=groups,
        clock=ports.clock,
    )
    writer = ConversationWriter(reader=basis.reader, store=ports.conversations, live=ports.live)
    people = People(users=ports.users, writer=writer)
    conversations = Conversations(
        admission=basis.admission,
        writer=writer,
        people=people,
        membership=membership,
        posting=posting,
        clock=ports.clock,
    )
    return ConversationServices(
        inbox=inbox,
        sync=Sync(admission=basis.admission, reader=basis.reader, inbox=inbox, live=ports.live),
        groups=groups,
        membership=membership,
        writer=writer,
        people=people,
        new_conversations=NewConversations(
            admission=basis.admission,
            writer=writer,
            people=people,
            membership=membership,
            clock=ports.clock,
            ids=ports.ids,
            groups=settings.limits.groups,
        ),
        conversations=conversations,
        muting=build_muting(ports, basis, inbox, membership),
    )


def build_inbox(ports: Ports, basis: Basis) -> Inbox:
    order = InboxOrder(
        live=ports.live,
        memberships=ports.memberships,
        recorded=RecordedActivity(reader=basis.reader, live=ports.live, messages=ports.messages),
        locks=UserLocks(),
        background=BackgroundReconciliation(),
    )
    return Inbox(
        admission=basis.admission,
        reader=basis.reader,
        live=ports.live,
        memberships=ports.memberships,
        clock=ports.clock,
        order=order,
    )


def build_muting(ports: Ports, basis: Basis, inbox: Inbox, membership: Membership) -> Muting:
    return Muting(
        admission=basis.admission,
        inbox=inbox,
        live=ports.live,
        memberships=ports.memberships,
        membership=membership,
    )
