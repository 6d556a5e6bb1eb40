"""The site's users, as the page, the tokens and the chat see them."""

from collections.abc import Iterable
from urllib.parse import quote

from local.site.demo import demo_users
from local.site.storage import Storage, User

_MOST_FOUND = 20


class Directory:
    """Users in *storage*, their avatars at *origin*."""

    def __init__(self, storage: Storage, origin: str) -> None:
        self._storage = storage
        self._origin = origin
        storage.put_demo_users(demo_users())

    def list_demo(self) -> list[dict[str, object]]:
        """Return the demo people as `GET /dev/users` shows them."""
        return [self._shown(user) for user in self._storage.list_users(demo_only=True)]

    def search(self, words: str) -> list[dict[str, object]]:
        """Return up to 20 users, guests too, whose id or name holds *words*."""
        return [self._shown(user) for user in self._storage.search_users(words, limit=_MOST_FOUND)]

    def list_named(self, user_ids: Iterable[str]) -> list[dict[str, object]]:
        """Return those of *user_ids* who are users, in their order."""
        users = [self._storage.find_user(user_id) for user_id in user_ids]
        return [self._shown(user) for user in users if user is not None]

    def list_ids(self, *, demo_only: bool = False) -> list[str]:
        return [user.user_id for user in self._storage.list_users(demo_only=demo_only)]

    def register(self, user_id: str, name: str | None) -> tuple[User, bool]:
        """Return the user, made or renamed if need be, and whether anything changed.

        A demo person keeps the name everybody knows.
        """
        user = self._storage.find_user(user_id)
        unchanged = user is not None and name in {None, user.display_name}
        if user is not None and (unchanged or user_id in self.list_ids(demo_only=True)):
            return user, False
        self._storage.put_guest(user_id, name or user_id)
        return User(user_id, name or user_id, ()), True

    def find(self, user_id: str) -> User | None:
        return self._storage.find_user(user_id)

    def avatar_url(self, user_id: str) -> str:
        return f"{self._origin}/avatars/{quote(user_id, safe='')}.svg"

    def feed_item(self, user_id: str) -> dict[str, object]:
        """Return the user as the chat takes it."""
        user = self._storage.find_user(user_id) or User(user_id, user_id, ())
        return {**self._shown(user), "blocked": []}

    def _shown(self, user: User) -> dict[str, object]:
        return {
            "userId": user.user_id,
            "displayName": user.display_name,
            "avatarUrl": self.avatar_url(user.user_id),
            "contacts": list(user.contacts),
        }
