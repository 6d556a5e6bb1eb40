import { ChatError } from "@parley/sdk";

const SENTENCES: Record<string, string> = {
  blocked: "You cannot message this person.",
  forbidden: "You are not allowed to do that here.",
  not_found: "This conversation is not available to you any more.",
  user_not_found: "This person does not exist any more.",
  conversation_full: "This group is full: it has 100 members.",
  too_large: "This is too large. Messages have up to 8,000 characters, files up to 25 MB.",
  unsupported_type: "Files of this type cannot be sent. Try an image, PDF, Office file, audio, video or plain text.",
  rejected: "This file was found to be unsafe and cannot be opened.",
  not_ready: "This file is still being checked. Try again in a moment.",
  rate_limited: "That was a little fast. Wait a moment and try again.",
  unavailable: "The service does not answer. Try again in a moment.",
  unauthenticated: "Your sign-in has expired. Reload the page.",
  network: "No connection. Check your network and try again.",
  disconnected: "No connection. Check your network and try again.",
  timeout: "That took too long. Try again.",
  cancelled: "Cancelled.",
  push_denied: "Notifications are blocked for this site. Allow them in your browser's site settings, then try again.",
  push_unsupported: "This browser cannot receive notifications from Parley.",
};

/** Say in plain words what failed and what the user can do. */
export function explain(error: unknown): string {
  if (!(error instanceof ChatError)) return explainCode("unknown", "");
  return explainCode(error.code, error.message);
}

export function explainCode(code: string, detail: string): string {
  return SENTENCES[code] ?? (detail ? `That did not work: ${detail}` : "That did not work. Try again.");
}
