"""Copying the write-ahead log into the database file, beside the writers.

Left to itself SQLite does it inside a commit, every thousand pages: one write in a hundred then
waits for the disk, 4 to 20 ms here. On a thread and a connection of its own it delays nobody. It
cannot shorten the log while somebody writes, though; a log that has grown long is therefore
restarted by the writer, when little is left to copy.
"""

import asyncio
import contextlib
import logging
import sqlite3
from pathlib import Path

from local.cosmos.store import Store

_LOG = logging.getLogger(__name__)
_INTERVAL_S = 0.5
_LONG_PAGES = 16_384  # 64 MB


async def keep_log_short(store: Store, stop: asyncio.Event) -> None:
    """Checkpoint the store's file twice a second until *stop* is set."""
    store.db.execute("PRAGMA wal_autocheckpoint=0")
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _INTERVAL_S)
        if not store.log_grew:
            continue
        store.log_grew = False
        try:
            if await asyncio.to_thread(_copied_pages, store.path) > _LONG_PAGES:
                store.restart_log()
        except sqlite3.Error:
            _LOG.warning("the log was not copied; it will be in the next round", exc_info=True)


def _copied_pages(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        _, pages, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)
