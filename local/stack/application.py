"""The app the stack runs: Parley at the project's root, or another team's of `--app PATH`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.common.keys import Keys
from local.common.model import DataModel, ModelError, empty_model, load_model
from local.common.settings import LocalSettings, Ports
from local.common.vapid import load_or_create_vapid_key
from local.cosmos.provision import definitions
from local.servicebus.entities import queues_of
from local.stack.environment import app_settings, connection_strings
from local.stack.errors import CannotStartError

MODEL_NAME = "local.model.json"


@dataclass(frozen=True, slots=True)
class Application:
    """What the stack has to know of the app it runs.

    Args:
        directory: Where `function_app.py` is; None stands for Parley, which comes with its site.
        model: What must exist before the app starts.
        settings: The app settings the host gets.

    """

    directory: Path | None
    model: DataModel
    settings: Mapping[str, str]

    @property
    def is_parley(self) -> bool:
        return self.directory is None


def parley(local: LocalSettings, keys: Keys) -> Application:
    """Return Parley itself."""
    vapid_key = load_or_create_vapid_key(local.directory)
    return Application(None, load_model(), app_settings(local.ports, keys, vapid_key))


def other_app(directory: Path, model: DataModel, ports: Ports, keys: Keys) -> Application:
    """Return the app in *directory*, with the settings that connect it to the stack on *ports*.

    Its own settings are the `Values` of its local.settings.json, if there is one; the connection
    strings that *model* names replace those of the same names.

    Raises:
        CannotStartError: *model* declares what is not served here, or local.settings.json cannot
            be read.

    """
    try:
        definitions(model)
        queues_of(model)
    except ModelError as error:
        raise CannotStartError(str(error)) from error
    services = connection_strings(ports, keys)
    connections = {name: services[service] for name, service in model.connections.items()}
    own = _values(directory / "local.settings.json")
    return Application(
        directory, model, {**own, **connections, "FUNCTIONS_WORKER_RUNTIME": "python"}
    )


def find_model(directory: Path, chosen: Path | None, local_directory: Path) -> DataModel:
    """Return the data model in *chosen*, else in the app's `local.model.json`, else an empty one.

    Raises:
        CannotStartError: *directory* is not a function app, or the file cannot be used.

    """
    for name in ("host.json", "function_app.py"):
        if not (directory / name).is_file():
            sentence = f"{directory} is not a function app: it has no {name}."
            raise CannotStartError(sentence)
    path = chosen or directory / MODEL_NAME
    if chosen is None and not path.exists():
        # The stand-ins read a file; an app that needs no data has none.
        path = local_directory / MODEL_NAME
        path.write_text("{}\n", encoding="utf-8")
        return empty_model(path)
    try:
        return load_model(path.resolve())
    except ModelError as error:
        raise CannotStartError(str(error)) from error


def settings_json(settings: Mapping[str, str]) -> str:
    """Return *settings* in the form of local.settings.json, which other tools read too."""
    return json.dumps({"IsEncrypted": False, "Values": dict(settings)}, indent=2) + "\n"


def _values(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        sentence = f"{path} is not JSON: {error}."
        raise CannotStartError(sentence) from error
    values = content.get("Values", {}) if isinstance(content, dict) else None
    if not isinstance(values, dict) or content.get("IsEncrypted"):
        sentence = f"{path} needs an object of unencrypted settings named Values."
        raise CannotStartError(sentence)
    return {str(name): str(value) for name, value in values.items()}
