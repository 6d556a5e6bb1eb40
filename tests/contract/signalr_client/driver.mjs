// Drives the real @microsoft/signalr client from a test: one JSON command per line on standard
// input, one JSON event per line on standard output. The options are the first argument:
// {url, token, protocol, transport, reconnectDelays, listen, skipNegotiation}.
import { createInterface } from "node:readline";

import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const options = JSON.parse(process.argv[2]);
const tell = (event) => process.stdout.write(JSON.stringify(event) + "\n");

function build() {
  const builder = new HubConnectionBuilder()
    .withUrl(options.url, {
      accessTokenFactory: () => options.token,
      transport: HttpTransportType[options.transport ?? "WebSockets"],
      skipNegotiation: options.skipNegotiation ?? false,
    })
    .configureLogging(LogLevel.None);
  if (options.protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
  if (options.reconnectDelays) builder.withAutomaticReconnect(options.reconnectDelays);
  return builder.build();
}

const connection = build();
if (options.serverTimeoutMs) connection.serverTimeoutInMilliseconds = options.serverTimeoutMs;
if (options.keepAliveMs) connection.keepAliveIntervalInMilliseconds = options.keepAliveMs;
for (const target of options.listen ?? []) {
  connection.on(target, (...args) => tell({ event: "push", target, arguments: args }));
}
connection.onclose((error) => tell({ event: "closed", error: error?.message ?? null }));
connection.onreconnecting((error) => tell({ event: "reconnecting", error: error?.message ?? null }));
connection.onreconnected((id) => tell({ event: "reconnected", connectionId: id }));

const commands = {
  async invoke({ target, arguments: args }) {
    const result = await connection.invoke(target, ...args);
    return { result: result === undefined ? "undefined" : result };
  },
  async send({ target, arguments: args }) {
    await connection.send(target, ...args);
    return {};
  },
  stream({ target }) {
    return new Promise((resolve) => {
      connection.stream(target).subscribe({
        next() {},
        complete: () => resolve({ completed: true }),
        error: (error) => resolve({ streamError: error.message }),
      });
    });
  },
  async stop() {
    await connection.stop();
    return {};
  },
};

async function carryOut(command) {
  try {
    tell({ event: "done", id: command.id, ...(await commands[command.do](command)) });
  } catch (error) {
    tell({ event: "failed", id: command.id, error: error.message });
  }
}

try {
  await connection.start();
  tell({ event: "started", connectionId: connection.connectionId });
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => void carryOut(JSON.parse(line)));
  lines.on("close", () => process.exit(0));
} catch (error) {
  tell({ event: "refused", error: error.message });
}
