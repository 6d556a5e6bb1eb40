import type { HttpTransportType, IHubProtocol } from "@microsoft/signalr";
import type { TokenProvider } from "./connection/http.ts";
import type { OutboxStorage } from "./messages/outbox-entry.ts";
import type { Tabs } from "./messages/tabs.ts";

export interface ChatClientOptions {
  /** Origin that serves `/api`, for example `https://chat.example.com`. */
  baseUrl: string;
  userId: string;
  /** Supplies the website's token for this user. Called before every call, so it should keep a token until it is about to expire. */
  tokenProvider: TokenProvider;
  storage?: OutboxStorage;
  tabs?: Tabs;
  transport?: HttpTransportType;
  protocol?: IHubProtocol;
}
