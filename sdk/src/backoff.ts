const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** How long to wait before attempt number `attempt` (from 0): doubling, at most 30 s, half of it random so that clients spread. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return ceiling / 2 + random() * (ceiling / 2);
}

/** The server's own time to wait, and up to as long again: not everybody who was told it comes at once. */
export function jitteredMs(ms: number, random: () => number = Math.random): number {
  return ms * (1 + random());
}

/** A part of the time over which the service wants its clients to come back. */
export function spreadMs(withinMs: number, random: () => number = Math.random): number {
  return withinMs * random();
}

/** A wait that can be cut short. */
export class Pause {
  #end: (() => void) | null = null;

  wait(ms: number): Promise<void> {
    this.cut();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.cut(), ms);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  cut(): void {
    const end = this.#end;
    this.#end = null;
    end?.();
  }
}
