"""Calls on everything that is not an item: the account, databases, containers, ranges, offers."""

from collections.abc import Sequence
from http import HTTPStatus

from local.cosmos.catalog import Catalog, Database
from local.cosmos.container import Container
from local.cosmos.json_values import Json, dump, load
from local.cosmos.protocol import BadRequestError, Call, RefusalError, Reply, UnsupportedError

_UNSUPPORTED = {
    "sprocs": "Stored procedures",
    "triggers": "Triggers",
    "udfs": "User-defined functions",
    "users": "Database users and permissions",
    "conflicts": "The conflict feed",
    "clientencryptionkeys": "Client-side encryption",
    "attachments": "Attachments",
    "operations": "Deleting a whole logical partition at once",
}
_THROUGHPUT = ("x-ms-offer-throughput", "x-ms-cosmos-offer-autopilot-settings")
_RANGES_ETAG = '"1"'


class Resources:
    """Answers calls on *catalog*."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def answer(self, call: Call) -> Reply:
        """Answer *call*. Raises RefusalError."""
        match call.path:
            case ():
                reply = _account(call)
            case ("dbs",):
                reply = self._databases(call)
            case ("dbs", database):
                reply = self._database(call, database)
            case ("dbs", database, "colls"):
                reply = self._containers(call, database)
            case ("dbs", database, "colls", name):
                reply = self._container(call, self._catalog.container(database, name))
            case ("dbs", database, "colls", name, "pkranges"):
                reply = _ranges(call, self._catalog.container(database, name))
            case _:
                raise _unknown(call.path)
        return reply

    def _databases(self, call: Call) -> Reply:
        _refuse_throughput(call)
        if _is_listing(call):
            databases = [_shown(database) for database in self._catalog.databases.values()]
            return _list("Databases", databases)
        _expect(call, "POST")
        return _resource(_shown(self._catalog.create_database(_body(call))), HTTPStatus.CREATED)

    def _database(self, call: Call, name: str) -> Reply:
        if call.method == "DELETE":
            self._catalog.delete_database(name)
            return Reply(HTTPStatus.NO_CONTENT)
        _expect(call, "GET")
        return _resource(_shown(self._catalog.database(name)))

    def _containers(self, call: Call, database: str) -> Reply:
        _refuse_throughput(call)
        if _is_listing(call):
            self._catalog.database(database)
            containers = self._catalog.containers(database)
            return _list(
                "DocumentCollections",
                [self._catalog.resource(container) for container in containers],
            )
        _expect(call, "POST")
        container = self._catalog.create_container(database, _body(call))
        return _resource(self._catalog.resource(container), HTTPStatus.CREATED)

    def _container(self, call: Call, container: Container) -> Reply:
        if call.method == "DELETE":
            self._catalog.delete_container(container)
            return Reply(HTTPStatus.NO_CONTENT)
        if call.method == "PUT":
            container = self._catalog.replace_container(container, _body(call))
        else:
            _expect(call, "GET")
        return _resource(self._catalog.resource(container))


def _account(call: Call) -> Reply:
    _expect(call, "GET")
    endpoint = f"http://{call.headers.get('Host', '127.0.0.1')}/"
    location: dict[str, Json] = {"name": "Local", "databaseAccountEndpoint": endpoint}
    return _resource(
        {
            "id": "local",
            "_rid": "local",
            "_self": "",
            "writableLocations": [location],
            "readableLocations": [location],
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
        }
    )


def _ranges(call: Call, container: Container) -> Reply:
    _expect(call, "GET")
    # Without a 304 to its own etag the SDK asks for ever.
    if call.headers.get("If-None-Match") == _RANGES_ETAG:
        return Reply(HTTPStatus.NOT_MODIFIED, etag=_RANGES_ETAG)
    only: dict[str, Json] = {"id": "0", "minInclusive": "", "maxExclusive": "FF", "parents": []}
    reply = _list("PartitionKeyRanges", [only])
    reply.text = reply.text.replace("{", f'{{"_rid":"{container.rid}",', 1)
    reply.etag = _RANGES_ETAG
    return reply


def _unknown(path: Sequence[str]) -> RefusalError:
    if path[0] == "offers":
        return BadRequestError(
            "Reading or replacing offers is not supported for serverless accounts, and the local "
            "stand-in is like one."
        )
    for part in path:
        if part in _UNSUPPORTED:
            return UnsupportedError(_UNSUPPORTED[part])
    return RefusalError(HTTPStatus.NOT_FOUND, "There is no such resource.")


def _refuse_throughput(call: Call) -> None:
    if (
        "x-ms-offer-throughput" in call.headers
        or "x-ms-cosmos-offer-autopilot-settings" in call.headers
    ):
        raise BadRequestError(
            "Setting offer throughput or autopilot is not supported for serverless accounts, and "
            "the local stand-in is like one."
        )


def _is_listing(call: Call) -> bool:
    if call.flag("x-ms-documentdb-isquery"):
        query = _body(call)
        text = str(query.get("query", "")) if isinstance(query, dict) else ""
        if " where " in text.lower():
            raise UnsupportedError("A filter on databases or containers")
        return True
    return call.method == "GET"


def _expect(call: Call, method: str) -> None:
    if call.method != method:
        raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, "The method is not allowed here.")


def _shown(database: Database) -> dict[str, Json]:
    return {
        "id": database.id,
        "_rid": database.rid,
        "_ts": database.ts,
        "_self": f"dbs/{database.rid}/",
        "_etag": '"00000000-0000-0000-0000-000000000000"',
        "_colls": "colls/",
        "_users": "users/",
    }


def _resource(resource: dict[str, Json], status: int = HTTPStatus.OK) -> Reply:
    etag = resource.get("_etag")
    return Reply(status, dump(resource), charge=1.0, etag=etag if isinstance(etag, str) else None)


def _list(name: str, resources: Sequence[dict[str, Json]]) -> Reply:
    return Reply(HTTPStatus.OK, dump({name: list(resources), "_count": len(resources)}), charge=1.0)


def _body(call: Call) -> Json:
    try:
        return load(call.body.decode())
    except ValueError as error:
        raise BadRequestError("The body is not valid JSON.") from error
