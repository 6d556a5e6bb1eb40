"""The change feed, latest version mode: each item once, at the place of its newest change.

A position is the `lsn` of the last change read, quoted like an etag. Deletions do not show. The
items of a batch have positions of their own here, so a page may end inside a batch, which the
service's never does.

A reader must not step over a change. It could, if a position were given out for changes that are
not stored yet, or if a smaller `lsn` were committed after a larger one. Neither can happen: all
writes go through one connection on one event loop, which numbers them in the order in which they
run, and a page is read over the same connection, so it sees every number up to its position. The
answer leaves only when the transaction that it read from is committed (`Store.settled`): a crash
cannot take back a change whose position a reader holds. A page that stops short for its size ends
at its last item; any other page may say the container's newest position, because it has looked at
every item below. Proof: `test_what_is_read_while_others_write_is_complete` and
`test_a_position_in_the_change_feed_survives_a_restart` in tests/contract.

Source: learn.microsoft.com/azure/cosmos-db/change-feed; headers as azure-cosmos 4.17 sends them.
"""

# ruff: noqa: S608 - table names are made of our own numbers

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from local.cosmos import charge
from local.cosmos.container import Container
from local.cosmos.protocol import BadRequestError, Call, Reply
from local.cosmos.sql.plan import Scope
from local.cosmos.store import Store

_MAX_PAGE_BYTES = 4 * 1024 * 1024
_NOW = "*"


def read_changes(
    store: Store, container: Container, scope: Scope, call: Call, page_size: int
) -> Reply:
    """Answer the next changes after the call's position, or 304 when there are none.

    Raises:
        BadRequestError: The position or the start time is malformed.

    """
    store.expire(container)
    start = _start(store, container, call)
    rows: list[str] = []
    size, reached = 0, container.lsn
    for lsn, body in _changes(store, container, scope, start, page_size):
        if size > _MAX_PAGE_BYTES:
            break
        rows.append(f'{body[:-1]},"_lsn":{lsn}}}')
        size += len(body)
        reached = lsn
    else:
        # A page that is not full has seen everything there is, whatever the scope.
        reached = reached if len(rows) == page_size else container.lsn
    etag = f'"{reached}"'
    if not rows:
        return Reply(HTTPStatus.NOT_MODIFIED, charge=charge.feed_page(0), etag=etag)
    text = f'{{"_rid":"{container.rid}","Documents":[{",".join(rows)}],"_count":{len(rows)}}}'
    return Reply(HTTPStatus.OK, text, charge=charge.feed_page(size), etag=etag)


def _changes(
    store: Store, container: Container, scope: Scope, start: int, page_size: int
) -> list[tuple[int, str]]:
    in_scope = scope.conditions()
    # The unary plus keeps SQLite on the partition's own index.
    conditions = [
        "+lsn > ?" if in_scope else "lsn > ?",
        *(condition for condition, _ in in_scope),
    ]
    return store.select(
        f"SELECT lsn, body FROM {container.table} WHERE {' AND '.join(conditions)} "
        f"ORDER BY lsn LIMIT ?",
        [start, *(value for _, value in in_scope), page_size],
    ).fetchall()


def _start(store: Store, container: Container, call: Call) -> int:
    position = call.headers.get("If-None-Match")
    if position == _NOW:
        return container.lsn
    if position:
        text = position.strip('"')
        if not text.isdecimal():
            raise BadRequestError(f"The change feed position {position} is invalid.")
        return int(text)
    since = call.headers.get("If-Modified-Since")
    if since is None:
        return 0
    return store.position_at(container, int(_time(since).timestamp()))


def _time(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadRequestError(f"The start time {text} is invalid.") from error
