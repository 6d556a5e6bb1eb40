import type { HttpTransportType, IHubProtocol } from "@microsoft/signalr";
import type { TokenProvider } from "./http.ts";
import type { OutboxStorage } from "./outbox-entry.ts";
import type { Tabs } from "./tabs.ts";

export interface ChatClientOptions {
  /** Origin that serves `/api`, for example `https://chat.example.com`. */
  baseUrl: string;
  userId: string;
  /** The website's token for this user; asked before every call, so keep one until it is about to expire. */
  tokenProvider: TokenProvider;
  storage?: OutboxStorage;
  tabs?: Tabs;
  transport?: HttpTransportType;
  protocol?: IHubProtocol;
}
