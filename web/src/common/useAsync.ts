import { useEffect, useEffectEvent, useState } from "react";

export interface Async<T> {
  readonly value: T | null;
  readonly error: unknown;
}

const PENDING = { value: null, error: null };

/**
 * What `load` returns for `key`; it is called again whenever `key` changes, and not while `key` is null.
 *
 * Calls may settle in any order, and after the component is gone. Only the latest key's result is shown, and a value
 * that nobody shows any more is passed to `release`. `signal` is aborted as soon as the result is not wanted.
 */
export function useAsync<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
  release: (value: T) => void = () => undefined,
): Async<T> {
  const [result, setResult] = useState<(Async<T> & { key: string }) | null>(null);
  const onLoad = useEffectEvent(load);
  const onRelease = useEffectEvent(release);

  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    const { signal } = abort;
    const loading = onLoad(signal);
    loading.then(
      (value) => signal.aborted || setResult({ key, value, error: null }),
      (error: unknown) => signal.aborted || setResult({ key, value: null, error }),
    );
    return () => {
      abort.abort();
      loading.then(onRelease, () => undefined);
    };
  }, [key]);

  return result?.key === key ? result : PENDING;
}
