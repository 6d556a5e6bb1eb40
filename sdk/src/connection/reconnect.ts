import { backoffMs, jitteredMs, spreadMs } from "../common/backoff.ts";

/** How an established connection ended. */
export interface ClosedConnection {
  lastedMs: number;
  /** The service closed it because its user has newer connections: docs/protocol.md#connections. */
  wasReplaced: boolean;
}

export interface Attempt {
  /** Counted from 0, since the last connection that lasted. */
  number: number;
  /** How the last connection ended; null if the last attempt established none. */
  closed: ClosedConnection | null;
  /** How long the refusal of `negotiate` asked to wait; null if it did not. */
  retryAfterMs: number | null;
  /** Whether this client closed the connection itself, to get a new one. */
  wasRenewed: boolean;
  /** The time over which the service wants its clients to spread their first attempt after a loss. */
  reconnectWithinMs: number;
}

/** How long a client whose connection was replaced waits at least; at most twice as long. */
const REPLACED_WAIT_MS = 5 * 60_000;

/**
 * How long to wait before the next attempt to connect.
 *
 * Three things can go wrong when many clients reconnect. After a restart of the service all of them lose their
 * connection at once: the first attempt is spread over the time that the heartbeat's reply announced, the later
 * ones grow and are half random. A busy service refuses with a time to wait: this client waits that long or
 * longer, with jitter. And a user may have more connections than the service allows, which then closes the oldest:
 * a client whose connection was replaced must not come straight back, because it would replace another connection
 * of its user, whose client would come back in turn, for ever. It waits for minutes; the page ends the wait when it
 * becomes visible, so the connections belong to the tabs in use. sdk/test/connection/reconnect.test.ts proves each.
 */
export function waitBeforeMs(attempt: Attempt, random: () => number = Math.random): number {
  const { number, closed, retryAfterMs } = attempt;
  const growing = backoffMs(number, random);
  if (closed?.wasReplaced) return jitteredMs(REPLACED_WAIT_MS, random);
  if (closed === null) return retryAfterMs === null ? growing : Math.max(growing, jitteredMs(retryAfterMs, random));
  const isFirst = number === 0 && !attempt.wasRenewed;
  return isFirst ? Math.max(growing, spreadMs(attempt.reconnectWithinMs, random)) : growing;
}
