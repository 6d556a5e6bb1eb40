import {
  type HubConnection,
  HubConnectionBuilder,
  HubConnectionState,
  HttpTransportType,
  type IHubProtocol,
  LogLevel,
} from "@microsoft/signalr";
import { ChatError, isRecord } from "../common/errors.ts";
import { Pause } from "../common/retrying.ts";
import { type ReadableStore, Store } from "../common/store.ts";
import type { HubMethods } from "../generated/contract.ts";
import { type ClosedConnection, waitBeforeMs } from "./reconnect.ts";
import { SiteHttpClient } from "./site-http-client.ts";

export type ConnectionPhase = "stopped" | "connecting" | "online" | "reconnecting";

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** Whether the device reports that it has a network. */
  readonly deviceOnline: boolean;
}

export interface HubOptions {
  baseUrl: string;
  userId: string;
  /** The website's token for `negotiate`; SignalR's client replaces it by the service's own token after that call. */
  token: () => Promise<string>;
  transport?: HttpTransportType;
  protocol?: IHubProtocol;
}

type Success<K extends keyof HubMethods> = Extract<HubMethods[K]["result"], { ok: true }>;

/** Falls back to long polling where a proxy blocks WebSockets. */
const WITH_FALLBACK = (HttpTransportType.WebSockets | HttpTransportType.LongPolling) as HttpTransportType;
const INVOKE_TIMEOUT_MS = 15_000;
/** For `negotiate` and for a send by long polling; polls have a timeout of their own. */
const REQUEST_TIMEOUT_MS = 15_000;
/** A connection that lasted less does not count as a success, so the next wait grows. */
const STABLE_MS = 5_000;
/** The reason that the service gives when it closes a connection because its user has newer ones: docs/protocol.md#connections. */
const TOO_MANY = "too many connections";

/**
 * Keeps a connection to the hub between `start` and `stop`; `reconnect.ts` says how long it waits between attempts.
 *
 * One loop connects, waits for the end of the connection, waits, and connects again, so there is never a second
 * connection beside the first. Everybody else only ends one of the loop's waits: `retryNow` the wait between two
 * attempts, `reconnect` the connection itself (it may be dead without having noticed, after a change of network).
 * Calls under way when a connection ends are rejected as `disconnected`, an unclear outcome that their callers retry.
 */
export class Hub {
  readonly #connection: HubConnection;
  readonly #http: SiteHttpClient;
  readonly #store = new Store<ConnectionState>({ phase: "stopped", deviceOnline: deviceOnline() });
  readonly #pause = new Pause();
  #isStarted = false;
  #loop: Promise<void> = Promise.resolve();
  #onClosed: (error?: Error) => void = () => undefined;
  #reconnectWithinMs = 0;
  #isReconnecting = false;

  constructor(options: HubOptions) {
    this.#http = new SiteHttpClient(options.baseUrl, { "x-ms-signalr-userid": options.userId });
    const builder = new HubConnectionBuilder()
      .withUrl(`${options.baseUrl.replace(/\/$/, "")}/api`, {
        accessTokenFactory: options.token,
        httpClient: this.#http,
        transport: options.transport ?? WITH_FALLBACK,
        timeout: REQUEST_TIMEOUT_MS,
      })
      .configureLogging(LogLevel.None);
    if (options.protocol) builder.withHubProtocol(options.protocol);
    this.#connection = builder.build();
    this.#connection.onclose((error) => this.#onClosed(error));
  }

  get store(): ReadableStore<ConnectionState> {
    return this.#store;
  }

  get isOnline(): boolean {
    return this.#connection.state === HubConnectionState.Connected;
  }

  on(event: string, handler: (argument: unknown) => void): void {
    this.#connection.on(event, handler);
  }

  /** Call a hub method; anything but `ok: true` is thrown as a ChatError. */
  async invoke<K extends keyof HubMethods>(method: K, argument: HubMethods[K]["argument"]): Promise<Success<K>> {
    if (!this.isOnline) throw new ChatError("disconnected", "the hub is not connected");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ChatError("timeout", `${method} took too long`)), INVOKE_TIMEOUT_MS);
    });
    try {
      return readResult(await Promise.race([this.#connection.invoke(method, argument), timeout])) as Success<K>;
    } catch (error) {
      throw error instanceof ChatError ? error : this.#unknownOutcome(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Tell the others that this user types or stopped; a lost call does no harm. */
  readonly setTyping = (conversationId: string, typing: boolean): void => {
    this.invoke("setTyping", { conversationId, typing }).catch(() => undefined);
  };

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#loop = this.#loop.then(() => this.#keepConnected());
  }

  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#pause.cut();
    await this.#connection.stop();
    await this.#loop;
    this.#setPhase("stopped");
  }

  /** Try to connect now instead of after the current wait. */
  retryNow(): void {
    this.#pause.cut();
    this.#setPhase(this.#store.get().phase);
  }

  /** Set the time over which to spread the first attempt after a loss, from the service's reply to a heartbeat. */
  spreadReconnecting(withinMs: number): void {
    this.#reconnectWithinMs = withinMs;
  }

  /** Close the current connection and make a new one. */
  async reconnect(): Promise<void> {
    this.#setPhase(this.#store.get().phase);
    if (!this.#isStarted) return;
    this.#isReconnecting = true;
    await this.#connection.stop();
  }

  async #keepConnected(): Promise<void> {
    this.#setPhase("connecting");
    for (let number = 0; this.#isStarted; number += 1) {
      const closed = await this.#connectOnce();
      if (closed !== null && closed.lastedMs >= STABLE_MS) number = 0;
      const retryAfterMs = this.#http.consumeRetryAfterMs();
      const [wasRenewed, reconnectWithinMs] = [this.#isReconnecting, this.#reconnectWithinMs];
      this.#isReconnecting = false;
      await this.#waitToRetry(waitBeforeMs({ number, closed, retryAfterMs, wasRenewed, reconnectWithinMs }));
    }
  }

  async #waitToRetry(ms: number): Promise<void> {
    if (!this.#isStarted) return;
    this.#setPhase("reconnecting");
    await this.#pause.wait(ms);
  }

  /** Connect, and return how the connection ended once it did; null if none was established. */
  async #connectOnce(): Promise<ClosedConnection | null> {
    const closed = new Promise<Error | undefined>((resolve) => {
      this.#onClosed = resolve;
    });
    try {
      await this.#connection.start();
    } catch {
      return null;
    }
    const connectedAt = Date.now();
    this.#setPhase("online");
    const error = await closed;
    return { lastedMs: Date.now() - connectedAt, wasReplaced: error?.message.includes(TOO_MANY) ?? false };
  }

  #setPhase(phase: ConnectionPhase): void {
    const current = this.#store.get();
    const next = { phase, deviceOnline: deviceOnline() };
    if (current.phase !== next.phase || current.deviceOnline !== next.deviceOnline) this.#store.set(next);
  }

  /** Neither a completion error, which something in front of the app sent, nor a lost connection tells whether the call took effect. */
  #unknownOutcome(error: unknown): ChatError {
    const detail = error instanceof Error ? error.message : String(error);
    return new ChatError(this.isOnline ? "unavailable" : "disconnected", detail, { cause: error });
  }
}

function readResult(result: unknown): unknown {
  if (isRecord(result) && result.ok === true) return result;
  const error = isRecord(result) && isRecord(result.error) ? result.error : {};
  throw new ChatError(
    typeof error.code === "string" ? error.code : "unavailable",
    typeof error.detail === "string" ? error.detail : "the hub gave no result",
    { retryAfterMs: typeof error.retryAfterMs === "number" ? error.retryAfterMs : null },
  );
}

function deviceOnline(): boolean {
  return typeof navigator === "undefined" || !("onLine" in navigator) || navigator.onLine;
}
