import { type RefObject, useCallback, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import type { TimelineItem } from "@parley/sdk";

const NEAR_BOTTOM_PX = 60;
const NEAR_TOP_PX = 600;

export interface Scroll {
  container: RefObject<HTMLDivElement | null>;
  isAtBottom: boolean;
  /** How many messages of others arrived since the bottom was last in view. */
  newBelow: number;
  onScroll: () => void;
  toBottom: () => void;
}

/**
 * Keeps the visible messages in place. The container is laid out from its end (`column-reverse`): `scrollTop` is
 * 0 at the newest message and negative above, so older messages and images that load above move nothing. Only
 * messages added below move the view, and only while the newest is out of view: then the scroll position is
 * corrected by their height. Whenever `sentCount` changes (this user sent a message), the end is scrolled into view.
 */
export function useScroll(items: readonly TimelineItem[], me: string, sentCount: number, onNearTop: () => void): Scroll {
  const container = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  const [isAtBottom, setAtBottom] = useState(true);
  const [leftAtKey, setLeftAtKey] = useState<string>();
  const lastKey = items.at(-1)?.key;
  const laidOutKey = useRef(lastKey);
  const broughtIntoView = useRef(sentCount);

  useLayoutEffect(() => {
    const element = container.current;
    if (!element) return;
    const grown = element.scrollHeight - height.current;
    const wasAppended = laidOutKey.current !== lastKey;
    if (broughtIntoView.current !== sentCount) element.scrollTop = 0;
    else if (wasAppended && height.current > 0 && element.scrollTop < -NEAR_BOTTOM_PX) element.scrollTop -= grown;
    height.current = element.scrollHeight;
    laidOutKey.current = lastKey;
    broughtIntoView.current = sentCount;
  }, [items, lastKey, sentCount]);

  function look() {
    const element = container.current;
    if (!element) return;
    height.current = element.scrollHeight;
    const atBottom = element.scrollTop > -NEAR_BOTTOM_PX;
    // This runs with every new message, so only a change sets state.
    if (atBottom !== isAtBottom) {
      setAtBottom(atBottom);
      setLeftAtKey(lastKey);
    }
    if (element.scrollHeight - element.clientHeight + element.scrollTop < NEAR_TOP_PX) onNearTop();
  }

  // A page that does not fill the view cannot be scrolled, so it must ask for more by itself.
  const lookAfterLayout = useEffectEvent(look);
  useEffect(() => lookAfterLayout(), [items, sentCount]);

  const toBottom = useCallback(() => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    container.current?.scrollTo({ top: 0, behavior: calm ? "auto" : "smooth" });
  }, []);

  return { container, isAtBottom, newBelow: isAtBottom ? 0 : heardSince(items, leftAtKey, me), onScroll: look, toBottom };
}

/** How many stored messages of others stand after the item with `key`. */
function heardSince(items: readonly TimelineItem[], key: string | undefined, me: string): number {
  const seen = items.findLastIndex((item) => item.key === key);
  if (seen < 0) return 0;
  return items.slice(seen + 1).filter((item) => item.kind === "stored" && item.message.senderId !== me).length;
}
