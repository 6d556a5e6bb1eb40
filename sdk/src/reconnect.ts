import { backoffMs, jitteredMs, spreadMs } from "./backoff.ts";

/** How a connection ended that was up. */
export interface Ended {
  afterMs: number;
  /** The service closed it because its user has newer ones: docs/protocol.md#connections. */
  wasOneTooMany: boolean;
}

export interface Attempt {
  /** Counted from 0, since the last connection that lasted. */
  number: number;
  /** How the connection before ended; null if none came about. */
  ended: Ended | null;
  /** What the refusal of `negotiate` asked for, if it did. */
  askedMs: number | null;
  /** The client itself gave the connection up to have a fresh one. */
  wasRenewed: boolean;
  /** Over how long the service wants its clients to come back after a loss. */
  reconnectWithinMs: number;
}

/** A client that was closed for a newer one stays away so long, and up to as long again. */
const CROWDED_MS = 5 * 60_000;

/**
 * How long to wait before the next attempt to connect.
 *
 * A client whose connection was one too many must not come straight back: it would push out another
 * one of its user, which would come back in turn, for ever. It stays away for minutes; the page ends
 * the wait when it is looked at again, so that the connections belong to the tabs in use.
 */
export function waitBeforeMs(attempt: Attempt, random: () => number = Math.random): number {
  const { number, ended, askedMs } = attempt;
  const growing = backoffMs(number, random);
  if (ended?.wasOneTooMany) return jitteredMs(CROWDED_MS, random);
  if (ended === null) return askedMs === null ? growing : Math.max(growing, jitteredMs(askedMs, random));
  const isFirst = number === 0 && !attempt.wasRenewed;
  return isFirst ? Math.max(growing, spreadMs(attempt.reconnectWithinMs, random)) : growing;
}
