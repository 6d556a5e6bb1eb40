"""Conversations and their members, and each member's own view of them."""

from dataclasses import dataclass

from shared.composition.capabilities.basis import Basis
from shared.config import Settings
from shared.ports import Ports
from shared.services.background_rebuilds import BackgroundRebuilds
from shared.services.conversation_writer import ConversationWriter
from shared.services.conversations import Conversations
from shared.services.group_members import GroupMembers
from shared.services.inbox import Inbox
from shared.services.inbox_order import InboxOrder
from shared.services.membership import Membership
from shared.services.muting import Muting
from shared.services.new_conversations import NewConversations
from shared.services.people import People
from shared.services.posting import Posting
from shared.services.recorded_activity import RecordedActivity
from shared.services.sync import Sync
from shared.services.turns import Turns


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
    new_conversations = NewConversations(
        admission=basis.admission,
        writer=writer,
        people=people,
        membership=membership,
        clock=ports.clock,
        ids=ports.ids,
        groups=settings.limits.groups,
    )
    conversations = Conversations(
        admission=basis.admission,
        writer=writer,
        people=people,
        membership=membership,
        posting=posting,
        clock=ports.clock,
    )
    muting = Muting(
        admission=basis.admission,
        inbox=inbox,
        live=ports.live,
        memberships=ports.memberships,
        membership=membership,
    )
    return ConversationServices(
        inbox=inbox,
        sync=Sync(admission=basis.admission, reader=basis.reader, inbox=inbox, live=ports.live),
        groups=groups,
        membership=membership,
        writer=writer,
        people=people,
        new_conversations=new_conversations,
        conversations=conversations,
        muting=muting,
    )


def build_inbox(ports: Ports, basis: Basis) -> Inbox:
    order = InboxOrder(
        live=ports.live,
        memberships=ports.memberships,
        recorded=RecordedActivity(reader=basis.reader, live=ports.live, messages=ports.messages),
        turns=Turns(),
        rests=BackgroundRebuilds(),
    )
    return Inbox(
        admission=basis.admission,
        reader=basis.reader,
        live=ports.live,
        memberships=ports.memberships,
        clock=ports.clock,
        order=order,
    )
