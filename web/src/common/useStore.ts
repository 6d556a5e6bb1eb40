import { useSyncExternalStore } from "react";
import type { ReadableStore } from "@parley/sdk";
import { FrameStore } from "./frame-store.ts";

/** One view for each store, so that all components see the same snapshot in a frame. */
const views = new WeakMap<ReadableStore<unknown>, FrameStore<unknown>>();

/** A store's snapshot, renewed at most once a frame. */
export function useStore<T>(store: ReadableStore<T>): T {
  const view = viewOf(store);
  return useSyncExternalStore(view.subscribe, view.get);
}

function viewOf<T>(store: ReadableStore<T>): FrameStore<T> {
  const known = views.get(store) as FrameStore<T> | undefined;
  if (known) return known;
  const made = new FrameStore(store);
  views.set(store, made);
  return made;
}
