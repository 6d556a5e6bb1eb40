const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const SHORT_WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const SHORT_DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_MS = 86_400_000;

export function timeOfDay(at: number): string {
  return TIME.format(at);
}

/** "Today", "Yesterday", a weekday of the last six days, else the date. */
export function dayLabel(at: number, now = Date.now()): string {
  const days = daysBetween(at, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 7 && days > 0 ? WEEKDAY.format(at) : DATE.format(at);
}

/** The time today, a weekday this week, else a short date: for lists. */
export function shortWhen(at: number, now = Date.now()): string {
  const days = daysBetween(at, now);
  if (days === 0) return TIME.format(at);
  return days < 7 && days > 0 ? SHORT_WEEKDAY.format(at) : SHORT_DATE.format(at);
}

export function isSameDay(a: number, b: number): boolean {
  return startOfDay(a) === startOfDay(b);
}

/** A message in one line: its text, "Sent a file", or "Deleted message" where its sender was erased. */
export function summary({ body, attachments }: { body: string; attachments: readonly unknown[] }): string {
  if (body) return body;
  if (attachments.length === 0) return "Deleted message";
  return attachments.length === 1 ? "Sent a file" : "Sent files";
}

export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** "last seen" in words; null when it is not known. */
export function lastSeen(at: number | null, now = Date.now()): string | null {
  if (at === null) return null;
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  if (minutes < 1) return "last seen just now";
  if (minutes < 60) return `last seen ${minutes} min ago`;
  return daysBetween(at, now) === 0 ? `last seen at ${TIME.format(at)}` : `last seen ${dayLabel(at, now)}`;
}

function daysBetween(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
