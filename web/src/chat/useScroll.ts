import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { TimelineItem } from "@parley/sdk";

const NEAR_BOTTOM_PX = 60;
const NEAR_TOP_PX = 600;

export interface Scroll {
  container: RefObject<HTMLDivElement | null>;
  isAtBottom: boolean;
  /** Messages that came below since the bottom was last in view. */
  newBelow: number;
  onScroll: () => void;
  toBottom: () => void;
}

/**
 * Keeps the eye where it is. The container is laid out from its end (`column-reverse`): `scrollTop` is 0 at
 * the newest message and negative above, so older messages and late images above move nothing; only what
 * is added below has to be made up for, and only when the newest message is out of view.
 */
export function useScroll(items: readonly TimelineItem[], onNearTop: () => void): Scroll {
  const container = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  const [isAtBottom, setAtBottom] = useState(true);
  const [seenKey, setSeenKey] = useState(items.at(-1)?.key);
  const lastKey = items.at(-1)?.key;
  const laidOutKey = useRef(lastKey);

  useLayoutEffect(() => {
    const element = container.current;
    if (!element) return;
    const grown = element.scrollHeight - height.current;
    const wasAppended = laidOutKey.current !== lastKey;
    if (wasAppended && height.current > 0 && element.scrollTop < -NEAR_BOTTOM_PX) element.scrollTop -= grown;
    height.current = element.scrollHeight;
    laidOutKey.current = lastKey;
  }, [items, lastKey]);

  const onScroll = useCallback(() => {
    const element = container.current;
    if (!element) return;
    height.current = element.scrollHeight;
    const atBottom = element.scrollTop > -NEAR_BOTTOM_PX;
    setAtBottom(atBottom);
    if (atBottom) setSeenKey(lastKey);
    if (element.scrollHeight - element.clientHeight + element.scrollTop < NEAR_TOP_PX) onNearTop();
  }, [lastKey, onNearTop]);

  // A page that does not fill the view cannot be scrolled, so it must ask for more by itself.
  useEffect(() => onScroll(), [items, onScroll]);

  const toBottom = useCallback(() => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    container.current?.scrollTo({ top: 0, behavior: calm ? "auto" : "smooth" });
  }, []);

  const seen = items.findLastIndex((item) => item.key === seenKey);
  return { container, isAtBottom, newBelow: seen < 0 ? 0 : items.length - 1 - seen, onScroll, toBottom };
}
