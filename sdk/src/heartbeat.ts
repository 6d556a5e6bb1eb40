import type { Beat as Answer } from "./generated/contract.ts";

const FIRST_INTERVAL_MS = 60_000;

export type Beat = Pick<Answer, "activity" | "nextInMs">;

export interface HeartbeatOptions {
  beat(): Promise<Beat>;
  /** The service counted otherwise than this client: it missed something, or cannot rule it out. */
  onMissed(): Promise<void>;
}

/**
 * Shows the service that this connection lives, at the interval the service asks for, and compares how
 * many messages it counted for this user with how many this client has learnt of.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #generation = 0;
  #activity: number | null = null;
  #learnt = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Begin anew on a fresh connection; the caller syncs after the promise has settled. */
  async start(): Promise<void> {
    this.stop();
    const generation = this.#generation;
    this.#activity = null;
    await this.#beat(generation);
  }

  stop(): void {
    this.#generation += 1;
    clearTimeout(this.#timer);
  }

  /** Count messages that became known other than by the sync that follows a beat. */
  learn(count: number): void {
    this.#learnt += count;
  }

  async #beat(generation: number): Promise<void> {
    let nextInMs = FIRST_INTERVAL_MS;
    try {
      const beat = await this.#options.beat();
      if (generation !== this.#generation) return;
      nextInMs = beat.nextInMs;
      await this.#compare(beat.activity);
    } catch {
      nextInMs = FIRST_INTERVAL_MS / 4;
    }
    if (generation !== this.#generation) return;
    this.#timer = setTimeout(() => void this.#beat(generation), jittered(nextInMs));
  }

  async #compare(activity: number): Promise<void> {
    const expected = this.#activity === null ? activity : this.#activity + this.#learnt;
    this.#activity = activity;
    this.#learnt = 0;
    if (activity !== expected) await this.#options.onMissed();
  }
}

/** Up to a tenth earlier, never later: the lease must not lapse. */
function jittered(ms: number): number {
  return ms * (0.9 + Math.random() * 0.1);
}
