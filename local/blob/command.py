"""How to run Azurite's blob service."""

import shutil
from pathlib import Path

ACCOUNT = "parley"

# Azurite's own settings are few; V8's keep it near 85 MB where it would take 110.
_NODE_OPTIONS = ("--max-old-space-size=96", "--max-semi-space-size=1")


class NodeMissingError(Exception):
    """There is no `node` on PATH."""


class AzuriteMissingError(Exception):
    """The npm packages are not installed."""


def azurite_command(root: Path, port: int, directory: Path) -> list[str]:
    """Return the command that serves blobs on 127.0.0.1:*port*, kept in *directory*.

    Args:
        root: The project, whose `node_modules` holds Azurite.

    Raises:
        NodeMissingError: `node` is not installed.
        AzuriteMissingError: `npm ci` has not been run.

    """
    node = shutil.which("node")
    if not node:
        raise NodeMissingError
    script = root / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not script.exists():
        raise AzuriteMissingError
    directory.mkdir(parents=True, exist_ok=True)
    return [
        *(node, *_NODE_OPTIONS, str(script)),
        *("--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(directory)),
        *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
    ]


def azurite_environment(key: str) -> dict[str, str]:
    """Return the setting that gives Azurite our account and *key* instead of its published one."""
    return {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
