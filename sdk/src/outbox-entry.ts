import type { AttachmentRef } from "./types.ts";

/** A message that this user has said and that is not known to be stored. */
export interface OutboxEntry {
  readonly clientMessageId: string;
  readonly userId: string;
  readonly conversationId: string;
  readonly body: string;
  readonly attachments: readonly AttachmentRef[];
  readonly replyTo: number | null;
  readonly createdAt: number;
  /** The newest sequence of the conversation when this was written; entries of an older release have none. */
  readonly after?: number;
  /** Attempts begun; written before each, so that a crash leaves no attempt uncounted. */
  readonly attempts: number;
  /** Why the service refuses it for good; null while it may still be sent. */
  readonly failure: { readonly code: string; readonly detail: string } | null;
}

/** Where the outbox survives: every promise settles once the change is durable. */
export interface OutboxStorage {
  /** False says that what is kept here ends with the process; then `stop` waits for it to be sent. */
  readonly isDurable?: boolean;
  /** This user's entries in the order in which they were made. */
  list(userId: string): Promise<OutboxEntry[]>;
  put(entry: OutboxEntry): Promise<void>;
  delete(entry: OutboxEntry): Promise<void>;
}
