"""What a block, and its end, changes on the open pages of both: who sees whose presence."""

from shared.domain.errors import UnavailableError
from shared.domain.events import (
    Effect,
    JoinGroup,
    LeaveGroup,
    PresenceChanged,
    Push,
    ToConnection,
    ToUser,
    watchers_group,
)
from shared.domain.ids import UserId
from shared.domain.presence import Presence, unknown
from shared.ports import PresenceStore, UserStore


async def show_block(
    users: UserStore,
    presence: PresenceStore,
    pair: tuple[UserId, UserId],
    *,
    blocked: bool,
    acquainted: bool,
) -> list[Effect]:
    """Return what shows the first user's block of the second, or its end, to both at once.

    A presence is pushed only to a pair with a direct conversation (*acquainted*): their pages show
    it anyway, and anybody else would learn from the push that they were blocked. What is pushed is
    what the next `watchPresence` answers (docs/protocol.md#who-gets-what).
    """
    one, other = pair
    hidden = blocked or await _is_blocked_by(users, other, one)
    if not hidden and not acquainted:
        return []
    seen = {} if hidden else await list_known(presence, [one, other])
    effects: list[Effect] = []
    for watcher, watched in ((one, other), (other, one)):
        effects += await _regroup(presence, watcher, watched, hidden=hidden)
        if acquainted:
            shown = seen.get(watched) or unknown(watched)
            effects.append(Push(PresenceChanged((shown,)), ToUser(watcher)))
    return effects


async def list_known(presence: PresenceStore, user_ids: list[UserId]) -> dict[UserId, Presence]:
    """Return the presence of *user_ids*; with live state down, nobody's."""
    try:
        return {one.user_id: one for one in await presence.list_presences(user_ids)}
    except UnavailableError:
        return {}


async def _regroup(
    presence: PresenceStore, watcher: UserId, watched: UserId, *, hidden: bool
) -> list[Effect]:
    group = watchers_group(watched)
    try:
        connections = [ToConnection(one) for one in await presence.connections(watcher)]
    except UnavailableError:
        return []
    if hidden:
        return [LeaveGroup(connection, group) for connection in connections]
    return [JoinGroup(connection, group) for connection in connections]


async def _is_blocked_by(users: UserStore, blocker: UserId, user_id: UserId) -> bool:
    found = await users.find(blocker)
    return found is not None and user_id in found.blocked
