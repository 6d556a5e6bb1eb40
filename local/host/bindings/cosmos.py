"""cosmosDBTrigger: a container's change feed, through the real `azure-cosmos`.

A batch that fails is passed over unless the function has a retry policy, as in the real
extension (4.x); with one, the lease stays where it is until success or exhaustion.
Source: WebJobs.Extensions.CosmosDB, `CosmosDBTriggerListener`; change feed processor, .NET SDK.
"""

import asyncio
import logging
from typing import NoReturn, override
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from local.host.appsettings import parse_connection_string
from local.host.bindings.cosmos_lease import Lease, Leases
from local.host.context import Context, Trigger
from local.host.invoker import Invocable, TriggerEvent
from local.host.typed_value import TypedValue, encoded

logger = logging.getLogger(__name__)

_POLL_MS = 5000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
_UNUSED = (  # they divide leases between hosts, or name what one local account has not
    *("leasesContainerThroughput", "leaseAcquireInterval", "leaseExpirationInterval"),
    *("leaseRenewInterval", "preferredLocations"),
)


class CosmosTrigger(Trigger):
    """Properties: those of the real trigger, of the latest-version mode and one account."""

    def __init__(self, invocable: Invocable, context: Context) -> None:
        super().__init__(invocable, context)
        binding = self._binding
        binding.refuse_unknown(
            *("connection", "databaseName", "containerName", "leaseDatabaseName"),
            *("leaseContainerName", "leaseContainerPrefix", "createLeaseContainerIfNotExists"),
            *("startFromBeginning", "maxItemsPerInvocation", "feedPollDelay", "changeFeedMode"),
            *_UNUSED,
        )
        if binding.text("changeFeedMode", "LatestVersion") != "LatestVersion":
            raise binding.error("changeFeedMode is served as LatestVersion only")
        setting = binding.text("connection")
        parts = parse_connection_string(context.settings.require(setting))
        if not parts.get("accountendpoint") or not parts.get("accountkey"):
            raise binding.error(f"{setting} needs AccountEndpoint=...;AccountKey=...")
        self._endpoint, self._key = parts["accountendpoint"], parts["accountkey"]
        self._database = binding.text("databaseName")
        self._container = binding.text("containerName")
        self._most = binding.whole("maxItemsPerInvocation", 0) or None
        self._poll_s = binding.whole("feedPollDelay", _POLL_MS) / 1000
        self._fetching = asyncio.Lock()
        self._reported = ""

    @override
    async def run(self) -> None:
        """Follow the feed forever; while Cosmos is down, try again with growing pauses."""
        pause_s = _FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            started_at = loop.time()
            try:
                async with self._client() as client:
                    try:
                        await self._follow_all(client)
                    except* CosmosResourceNotFoundError:
                        await self._report_missing(client)
            except* (AzureError, OSError) as errors:
                kinds = ", ".join(sorted({type(error).__name__ for error in errors.exceptions}))
                logger.warning("%s: Cosmos DB is unreachable: %s", self.invocable.name, kinds)
            if loop.time() - started_at > _LONGEST_PAUSE_S * 2:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _report_missing(self, client: CosmosClient) -> None:
        """Say which of the database and the containers does not exist.

        The trigger retries forever, since somebody may make it, and reports it once.
        """
        sentence = await self._missing(client)
        if sentence != self._reported:
            logger.error("%s: %s; declare it in the data model", self.invocable.name, sentence)
        self._reported = sentence

    async def _missing(self, client: CosmosClient) -> str:
        leases = (
            self._binding.text("leaseDatabaseName", self._database),
            self._binding.text("leaseContainerName", "leases"),
        )
        for database, container in ((self._database, self._container), leases):
            link = client.get_database_client(database)
            try:
                await link.read()
            except CosmosResourceNotFoundError:
                return f"database {database} does not exist"
            try:
                await link.get_container_client(container).read()
            except CosmosResourceNotFoundError:
                return f"container {container} of database {database} does not exist"
        return "a database or container was made anew meanwhile"

    def _client(self) -> CosmosClient:
        suffix = self._context.host_json.cosmos_user_agent_suffix
        return CosmosClient(
            self._endpoint,
            self._key,
            transport=AioHttpTransport(use_env_settings=False),
            user_agent_suffix=f"functions-host {suffix}".rstrip(),
        )

    async def _follow_all(self, client: CosmosClient) -> None:
        container = client.get_database_client(self._database).get_container_client(self._container)
        leases = await self._leases(client)
        ranges = [each async for each in container.read_feed_ranges()]
        async with asyncio.TaskGroup() as group:
            for feed_range in ranges:
                group.create_task(self._follow(container, leases, await leases.load(feed_range)))

    async def _leases(self, client: CosmosClient) -> Leases:
        binding = self._binding
        database = client.get_database_client(binding.text("leaseDatabaseName", self._database))
        name = binding.text("leaseContainerName", "leases")
        if binding.flag("createLeaseContainerIfNotExists", default=False):
            await database.create_container_if_not_exists(name, PartitionKey("/id"))
        account = urlsplit(self._endpoint).hostname
        return Leases(
            database.get_container_client(name),
            str(binding.properties.get("leaseContainerPrefix") or ""),
            f"{account}_{self._database}_{self._container}",
        )

    async def _follow(self, container: ContainerProxy, leases: Leases, lease: Lease) -> NoReturn:
        position = lease.continuation
        while True:
            documents, position = await self._fetch(container, lease, position)
            if documents:
                await self._context.invoker.invoke_with_retries(
                    self.invocable, TriggerEvent(encoded(documents))
                )
            if documents or lease.continuation is None:
                await leases.checkpoint(lease, position)
                position = lease.continuation
            if not documents:
                await asyncio.sleep(self._poll_s)

    async def _fetch(
        self, container: ContainerProxy, lease: Lease, position: str | None
    ) -> tuple[list[dict[str, object]], str]:
        from_start = self._binding.flag("startFromBeginning", default=False)
        # The SDK keeps a response's continuation on the client: one request at a time.
        async with self._fetching:
            changes = (
                container.query_items_change_feed(
                    feed_range=lease.feed_range,
                    start_time="Beginning" if from_start else "Now",
                    max_item_count=self._most,
                )
                if position is None
                else container.query_items_change_feed(
                    continuation=position, max_item_count=self._most
                )
            )
            documents: list[dict[str, object]] = []
            async for page in changes.by_page():  # a dry feed has no page at all
                documents = [document async for document in page]
                break
            headers = container.client_connection.last_response_headers
            return documents, str(headers["etag"])

    @override
    def _admin_value(self, text: str) -> TypedValue:
        return TypedValue("json", text)
