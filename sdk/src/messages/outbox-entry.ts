import type { AttachmentRef } from "../types.ts";

/** A message that this user has sent and that is not known to be stored. */
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
  /** Why the service refused the message; null while it may still be stored. */
  readonly failure: { readonly code: string; readonly detail: string } | null;
}

/** Keeps the outbox across restarts: every promise settles once the change is durable. */
export interface OutboxStorage {
  /** False if the entries end with the process; `ChatClient.stop` then sends them first. */
  readonly isDurable?: boolean;
  /** This user's entries, oldest first. */
  list(userId: string): Promise<OutboxEntry[]>;
  put(entry: OutboxEntry): Promise<void>;
  delete(entry: OutboxEntry): Promise<void>;
}
