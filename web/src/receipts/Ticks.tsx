import type { TimelineItem } from "@parley/sdk";
import { Icon, type IconName } from "../controls/icons.tsx";

type State = "pending" | "failed" | "sent" | "delivered" | "read";

const ICONS: Record<State, IconName> = {
  pending: "clock",
  failed: "alert",
  sent: "tick",
  delivered: "ticks",
  read: "ticks",
};
const LABELS: Record<State, string> = {
  pending: "Not sent yet",
  failed: "Not sent",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
};

/** The status of an own message: a clock (not sent), one tick (sent), two (delivered), two in colour (read). */
export function Ticks({ item }: { item: TimelineItem }) {
  const state: State = item.kind === "stored" ? item.status : item.kind;
  return (
    <span className={`ticks ticks-${state}`} role="img" aria-label={LABELS[state]} title={LABELS[state]}>
      <Icon name={ICONS[state]} size={16} />
    </span>
  );
}
