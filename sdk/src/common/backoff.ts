const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** How long to wait after failure number `failure` (from 0): doubling, at most 30 s, half of it random so that clients spread out. */
export function backoffMs(failure: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failure, 16));
  return ceiling / 2 + random() * (ceiling / 2);
}

/** The time that the service asked for, and up to as long again, so that clients told the same time do not return together. */
export function jitteredMs(ms: number, random: () => number = Math.random): number {
  return ms * (1 + random());
}

/** A random moment within the time over which the service wants its clients to come back. */
export function spreadMs(withinMs: number, random: () => number = Math.random): number {
  return withinMs * random();
}
