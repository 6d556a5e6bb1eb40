"""Connections, who is online, and who types."""

from dataclasses import dataclass

from shared.config import Settings
from shared.ports import Ports
from shared.services.admission.build import Basis
from shared.services.admission.connections import Connections
from shared.services.conversations.build import ConversationServices
from shared.services.messages.typing import TypingSignals
from shared.services.presence.connection_groups import ConnectionGroups
from shared.services.presence.presences import Presences


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceServices:
    """Connections, who is online, and who types."""

    connections: Connections
    presences: Presences
    typing: TypingSignals


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
