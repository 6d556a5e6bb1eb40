"""Live state as a whole: everything that is fast and may be lost."""

from typing import Protocol

from shared.ports.live_state.calls import Callers
from shared.ports.live_state.flush import FlushState
from shared.ports.live_state.group_memberships import GroupMemberships
from shared.ports.live_state.heads import ConversationHeads
from shared.ports.live_state.inbox import InboxState
from shared.ports.live_state.reconciled import ReconciledVersions


class LiveState(
    Callers,
    InboxState,
    ConversationHeads,
    GroupMemberships,
    FlushState,
    ReconciledVersions,
    Protocol,
):
    """All the ports that one adapter over one Redis fulfils, for the composition root alone.

    A service names the ports that it uses: a method that reads or writes two parts in one round
    trip stands in the port of the part that its caller asks about.
    """
