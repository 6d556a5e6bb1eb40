import type { Beat } from "../generated/contract.ts";

const FIRST_INTERVAL_MS = 60_000;

export type HeartbeatReply = Pick<Beat, "activity" | "nextInMs">;

export interface HeartbeatOptions {
  send(): Promise<HeartbeatReply>;
  /** How many messages this client has received so far, those of syncs left out. */
  receivedCount(): number;
  /** The service counted otherwise than this client, so this client missed a message or cannot rule it out. */
  onMissed(): Promise<void>;
}

/**
 * Renews this connection's lease at the interval that the service asks for, and finds lost pushes: it compares how
 * many messages the service counted for this user between two heartbeats with how many this client received.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #generation = 0;
  #last: { readonly activity: number; readonly receivedCount: number } | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Begin anew on a fresh connection; the caller syncs after the promise has settled. */
  async start(): Promise<void> {
    this.stop();
    const generation = this.#generation;
    this.#last = null;
    await this.#beat(generation);
  }

  stop(): void {
    this.#generation += 1;
    clearTimeout(this.#timer);
  }

  async #beat(generation: number): Promise<void> {
    let nextInMs = FIRST_INTERVAL_MS;
    try {
      const reply = await this.#options.send();
      if (generation !== this.#generation) return;
      nextInMs = reply.nextInMs;
      await this.#compare(reply.activity);
    } catch {
      nextInMs = FIRST_INTERVAL_MS / 4;
    }
    if (generation !== this.#generation) return;
    this.#timer = setTimeout(() => void this.#beat(generation), jittered(nextInMs));
  }

  async #compare(activity: number): Promise<void> {
    const last = this.#last;
    const receivedCount = this.#options.receivedCount();
    this.#last = { activity, receivedCount };
    if (last && activity - last.activity !== receivedCount - last.receivedCount) await this.#options.onMissed();
  }
}

/** Up to a tenth earlier, never later, since the lease must not lapse. */
function jittered(ms: number): number {
  return ms * (0.9 + Math.random() * 0.1);
}
