import { useSyncExternalStore } from "react";
import type { ReadableStore } from "@parley/sdk";
import { FrameStore } from "./frame-store.ts";

/** One FrameStore for each store, so that all components see the same snapshot in a frame. */
const views = new WeakMap<ReadableStore<unknown>, FrameStore<unknown>>();

/** A store's snapshot, replaced at most once a frame. */
export function useStore<T>(store: ReadableStore<T>): T {
  const view = viewOf(store);
  return useSyncExternalStore(view.subscribe, view.get);
}

function viewOf<T>(store: ReadableStore<T>): FrameStore<T> {
  const view = (views.get(store) as FrameStore<T> | undefined) ?? new FrameStore(store);
  views.set(store, view);
  return view;
}
