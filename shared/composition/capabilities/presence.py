"""Connections, who is online, and who types."""

from dataclasses import dataclass

from shared.composition.capabilities.basis import Basis
from shared.composition.capabilities.conversations import ConversationServices
from shared.config import Settings
from shared.ports import Ports
from shared.services.connection_groups import ConnectionGroups
from shared.services.connections import Connections
from shared.services.presences import Presences
from shared.services.typing import TypingSignals


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
