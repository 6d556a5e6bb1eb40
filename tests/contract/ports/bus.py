"""The queue of the real end: the Service Bus stand-in with the app's own data model."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from local.common.keys import load_or_create
from local.common.settings import Ports
from tests.contract.servicebus.harness import ROOT, connection_string
from tests.support.ports import free_block

DEADLINE_S = 60.0  # a moment; on a machine that does much else besides, a minute


@contextlib.contextmanager
def running_queue(directory: Path) -> Iterator[str]:
    """Start the stand-in; give its connection string."""
    ports = Ports(free_block())
    key = load_or_create(directory).servicebus
    inherited = os.environ  # noqa: TID251
    env = {**inherited, "PORT": str(ports.front), "CHAT_LOCAL_DIR": str(directory)}
    process = subprocess.Popen([sys.executable, "-m", "local.servicebus"], cwd=ROOT, env=env)
    try:
        _wait(f"http://127.0.0.1:{ports.servicebus_control}/_control/health", process)
        yield connection_string(ports.servicebus, key)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=DEADLINE_S):
                return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None
            assert time.monotonic() < deadline, "the stand-in does not answer"
            time.sleep(0.02)
