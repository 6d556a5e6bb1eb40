"""The services that answer calls, one function for each capability.

Order: what all calls pass, then files, messages, conversations, people and presence. Each takes
what was built before it.
"""

from dataclasses import dataclass

from shared.config import Settings
from shared.ports import Ports
from shared.services.accounts import Accounts
from shared.services.admission import Admission
from shared.services.attachments import Attachments
from shared.services.background_rebuilds import BackgroundRebuilds
from shared.services.connection_groups import ConnectionGroups
from shared.services.connections import Connections
from shared.services.conversation_writer import ConversationWriter
from shared.services.conversations import Conversations
from shared.services.devices import Devices
from shared.services.erased_users import ErasedUsers
from shared.services.files import Files
from shared.services.group_members import GroupMembers
from shared.services.healing import Healing
from shared.services.history import History
from shared.services.inbox import Inbox
from shared.services.inbox_order import InboxOrder
from shared.services.membership import Membership
from shared.services.message_eraser import MessageEraser
from shared.services.message_writer import MessageWriter
from shared.services.muting import Muting
from shared.services.new_conversations import NewConversations
from shared.services.people import People
from shared.services.posting import Posting
from shared.services.presences import Presences
from shared.services.reader import ConversationReader
from shared.services.recorded_activity import RecordedActivity
from shared.services.sequencer import Sequencer
from shared.services.sync import Sync
from shared.services.throttle import Throttle
from shared.services.turns import Turns
from shared.services.typing import TypingSignals
from shared.services.upload_quota import UploadQuota
from shared.services.upload_sweep import UploadSweep
from shared.services.user_writer import UserWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What every capability needs: admission of calls, and conversations as they are stored."""

    admission: Admission
    reader: ConversationReader
    erased: ErasedUsers


@dataclass(frozen=True, slots=True, kw_only=True)
class FileServices:
    """Uploads, their processing after the message was sent, and their sweep."""

    attachments: Attachments
    processing: Files
    sweep: UploadSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageServices:
    """Messages: posted, read, brought up to the store, and emptied when their sender is erased."""

    posting: Posting
    history: History
    healing: Healing
    eraser: MessageEraser


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UserServices:
    """Users, and the devices that their notifications go to."""

    accounts: Accounts
    devices: Devices


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceServices:
    """Connections, who is online, and who types."""

    connections: Connections
    presences: Presences
    typing: TypingSignals


def build_basis(ports: Ports) -> Basis:
    erased = ErasedUsers(users=ports.users, states=ports.accounts)
    reader = ConversationReader(store=ports.conversations, messages=ports.messages, live=ports.live)
    admission = Admission(
        reader=reader,
        live=ports.live,
        presence=ports.presence,
        clock=ports.clock,
        throttle=Throttle(lambda: ports.clock.now().timestamp()),
        erased=erased,
    )
    return Basis(admission=admission, reader=reader, erased=erased)


def build_files(ports: Ports, settings: Settings, basis: Basis) -> FileServices:
    quota = UploadQuota(
        live=ports.live,
        uploads=ports.uploads,
        bytes_a_day=settings.upload_quota_bytes,
        most_open=settings.open_uploads,
    )
    attachments = Attachments(
        admission=basis.admission,
        reader=basis.reader,
        quota=quota,
        blobs=ports.blobs,
        images=ports.images,
        ids=ports.ids,
        scanned=settings.attachments_scanned,
    )
    processing = Files(
        reader=basis.reader,
        messages=ports.messages,
        blobs=ports.blobs,
        images=ports.images,
        quota=quota,
    )
    sweep = UploadSweep(blobs=ports.blobs, quota=quota, clock=ports.clock)
    return FileServices(attachments=attachments, processing=processing, sweep=sweep)


def build_messages(
    ports: Ports, settings: Settings, basis: Basis, attachments: Attachments
) -> MessageServices:
    eraser = MessageEraser(
        reader=basis.reader,
        messages=ports.messages,
        live=ports.live,
        blobs=ports.blobs,
        erased=basis.erased,
    )
    writer = MessageWriter(
        reader=basis.reader,
        sequencer=Sequencer(ports.messages, ports.clock, bucket_size=settings.bucket_size),
        live=ports.live,
        eraser=eraser,
        turns=Turns(),
    )
    posting = Posting(
        admission=basis.admission,
        reader=basis.reader,
        attachments=attachments,
        writer=writer,
        clock=ports.clock,
        ids=ports.ids,
    )
    return MessageServices(
        posting=posting,
        history=History(admission=basis.admission, reader=basis.reader),
        healing=Healing(reader=basis.reader, live=ports.live),
        eraser=eraser,
    )


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


def build_people(ports: Ports, basis: Basis, conversing: ConversationServices) -> UserServices:
    writer = UserWriter(users=ports.users)
    accounts = Accounts(
        admission=basis.admission,
        users=ports.users,
        writer=writer,
        people=conversing.people,
        presence=ports.presence,
        groups=conversing.groups,
    )
    devices = Devices(admission=basis.admission, users=ports.users, writer=writer)
    return UserServices(accounts=accounts, devices=devices)


def build_presence(
    ports: Ports, settings: Settings, basis: Basis, conversing: ConversationServices
) -> PresenceServices:
    groups = ConnectionGroups(
        reader=basis.reader,
        live=ports.live,
        memberships=ports.memberships,
        membership=conversing.membership,
        groups=conversing.groups,
        clock=ports.clock,
    )
    connections = Connections(
        admission=basis.admission,
        live=ports.live,
        presence=ports.presence,
        hub=ports.hub,
        groups=groups,
        clock=ports.clock,
        limits=settings.connections,
        reconnect_within_ms=settings.timing.reconnect_within_s * 1000,
    )
    presences = Presences(
        admission=basis.admission,
        live=ports.live,
        presence=ports.presence,
        users=ports.users,
        clock=ports.clock,
    )
    typing = TypingSignals(admission=basis.admission, presence=ports.presence)
    return PresenceServices(connections=connections, presences=presences, typing=typing)
