import {
  type HubConnection,
  HubConnectionBuilder,
  HubConnectionState,
  HttpTransportType,
  type IHubProtocol,
  LogLevel,
} from "@microsoft/signalr";
import { Pause } from "./backoff.ts";
import { ChatError, isRecord } from "./errors.ts";
import type { HubMethods } from "./generated/contract.ts";
import { type Ended, waitBeforeMs } from "./reconnect.ts";
import { SiteHttpClient } from "./site-http-client.ts";
import { type ReadableStore, Store } from "./store.ts";

export type ConnectionPhase = "stopped" | "connecting" | "online" | "reconnecting";

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** Whether the device itself believes to have a network. */
  readonly deviceOnline: boolean;
}

export interface HubOptions {
  baseUrl: string;
  userId: string;
  /** The *website's* token: without a factory the client would show negotiate the service's own. */
  token: () => Promise<string>;
  transport?: HttpTransportType;
  protocol?: IHubProtocol;
}

type Success<K extends keyof HubMethods> = Extract<HubMethods[K]["result"], { ok: true }>;

/** A proxy that blocks WebSockets is no end. */
const WITH_FALLBACK = (HttpTransportType.WebSockets | HttpTransportType.LongPolling) as HttpTransportType;
const INVOKE_TIMEOUT_MS = 15_000;
/** Of a negotiate or of a send by long polling; its polls have a limit of their own. */
const REQUEST_TIMEOUT_MS = 15_000;
/** A connection that lasted less does not count as a success: the next wait grows. */
const STABLE_MS = 5_000;
/** What the service says to a connection that it closes because its user has newer ones: docs/protocol.md#connections. */
const TOO_MANY = "too many connections";

/** The connection to the hub: kept up for as long as it is wanted, with growing, random waits. */
export class Hub {
  readonly #connection: HubConnection;
  readonly #http: SiteHttpClient;
  readonly #store = new Store<ConnectionState>({ phase: "stopped", deviceOnline: deviceOnline() });
  readonly #pause = new Pause();
  #wanted = false;
  #loop: Promise<void> = Promise.resolve();
  #closed: (error?: Error) => void = () => undefined;
  #reconnectWithinMs = 0;
  #renewing = false;

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
    this.#connection.onclose((error) => this.#closed(error));
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
      throw error instanceof ChatError ? error : this.#unanswered(error);
    } finally {
      clearTimeout(timer);
    }
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#loop = this.#loop.then(() => this.#keepUp());
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#pause.cut();
    await this.#connection.stop();
    await this.#loop;
    this.#setPhase("stopped");
  }

  /** Try to connect now rather than after the current wait. */
  wake(): void {
    this.#pause.cut();
    this.#setPhase(this.#store.get().phase);
  }

  /** After a loss, spread the first attempt over this time: what the service's heartbeat says. */
  spreadReconnecting(withinMs: number): void {
    this.#reconnectWithinMs = withinMs;
  }

  /** Give up the current connection, which may be dead without knowing, and make a new one. */
  async renew(): Promise<void> {
    this.#setPhase(this.#store.get().phase);
    if (!this.#wanted) return;
    this.#renewing = true;
    await this.#connection.stop();
  }

  async #keepUp(): Promise<void> {
    this.#setPhase("connecting");
    for (let number = 0; this.#wanted; number += 1) {
      const ended = await this.#connectOnce();
      if (ended !== null && ended.afterMs >= STABLE_MS) number = 0;
      const askedMs = this.#http.takeRetryAfterMs();
      const [wasRenewed, reconnectWithinMs] = [this.#renewing, this.#reconnectWithinMs];
      this.#renewing = false;
      await this.#waitToRetry(waitBeforeMs({ number, ended, askedMs, wasRenewed, reconnectWithinMs }));
    }
  }

  async #waitToRetry(ms: number): Promise<void> {
    if (!this.#wanted) return;
    this.#setPhase("reconnecting");
    await this.#pause.wait(ms);
  }

  /** Connect and stay until the connection ends; returns how it ended, null if it never was up. */
  async #connectOnce(): Promise<Ended | null> {
    const closed = new Promise<Error | undefined>((resolve) => {
      this.#closed = resolve;
    });
    try {
      await this.#connection.start();
    } catch {
      return null;
    }
    const upSince = Date.now();
    this.#setPhase("online");
    const error = await closed;
    return { afterMs: Date.now() - upSince, wasOneTooMany: error?.message.includes(TOO_MANY) ?? false };
  }

  #setPhase(phase: ConnectionPhase): void {
    const old = this.#store.get();
    const next = { phase, deviceOnline: deviceOnline() };
    if (old.phase !== next.phase || old.deviceOnline !== next.deviceOnline) this.#store.set(next);
  }

  /** A completion error comes from in front of the app and says nothing of the outcome; so does a drop. */
  #unanswered(error: unknown): ChatError {
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
