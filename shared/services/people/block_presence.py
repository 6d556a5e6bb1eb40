"""What a block, and its end, changes on the open pages of both users: who sees whose presence."""

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
from shared.domain.people.presence import unknown
from shared.ports import PresenceStore, UserStore
from shared.services.presence.presence_news import list_known


async def show_block(
    users: UserStore,
    presence: PresenceStore,
    pair: tuple[UserId, UserId],
    *,
    blocked: bool,
    acquainted: bool,
) -> list[Effect]:
    """Return what shows the first user's block of the second, or its end, to both at once.

    A presence is pushed only to a pair with a direct conversation (*acquainted*), whose pages show
    it anyway. Anybody else would learn from the push that they were blocked. The push says what the
    next `watchPresence` answers (docs/protocol.md#who-gets-what).
    """
    one, other = pair
    hidden = blocked or await _is_blocked_by(users, other, one)
    if not hidden and not acquainted:
        return []
    presences = {} if hidden else await list_known(presence, [one, other])
    effects: list[Effect] = []
    for watcher, watched in ((one, other), (other, one)):
        effects += await _regroup(presence, watcher, watched, hidden=hidden)
        if acquainted:
            shown = presences.get(watched) or unknown(watched)
            effects.append(Push(PresenceChanged((shown,)), ToUser(watcher)))
    return effects


async def _regroup(
    presence: PresenceStore, watcher: UserId, watched: UserId, *, hidden: bool
) -> list[Effect]:
    group = watchers_group(watched)
    try:
        connections = [ToConnection(each) for each in await presence.connections(watcher)]
    except UnavailableError:
        return []
    if hidden:
        return [LeaveGroup(connection, group) for connection in connections]
    return [JoinGroup(connection, group) for connection in connections]


async def _is_blocked_by(users: UserStore, blocker: UserId, user_id: UserId) -> bool:
    user = await users.find(blocker)
    return user is not None and user_id in user.blocked
