/** The unsent text of a user and conversation, kept as long as the tab. */
export function readDraft(userId: string, conversationId: string): string {
  return sessionStorage.getItem(key(userId, conversationId)) ?? "";
}

export function writeDraft(userId: string, conversationId: string, text: string): void {
  if (text) sessionStorage.setItem(key(userId, conversationId), text);
  else sessionStorage.removeItem(key(userId, conversationId));
}

function key(userId: string, conversationId: string): string {
  return `parley.draft/${userId}/${conversationId}`;
}
