"""Presence as others are told of it."""

import logging

from shared.domain.errors import UnavailableError
from shared.domain.events import Effect, PresenceChanged, Push, ToGroup, watchers_group
from shared.domain.ids import UserId
from shared.domain.people.presence import Presence
from shared.ports import PresenceStore

logger = logging.getLogger(__name__)


async def announce(store: PresenceStore, presence: Presence) -> list[Effect]:
    """Tell the website of a user's presence, and return the push to those who watch the user."""
    try:
        await store.publish(presence)
    except UnavailableError:
        logger.warning("presence of a user not published")
    return [Push(PresenceChanged((presence,)), ToGroup(watchers_group(presence.user_id)))]


async def list_known(store: PresenceStore, user_ids: list[UserId]) -> dict[UserId, Presence]:
    """Return the presence of *user_ids*; of nobody while live state is down."""
    try:
        presences = await store.list_presences(user_ids)
    except UnavailableError:
        return {}
    return {presence.user_id: presence for presence in presences}
