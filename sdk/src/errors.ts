/**
 * Why a call did not succeed.
 *
 * `code` is one of the contract's codes (`rate_limited`, `blocked`, ...) or, when no answer of the
 * service was read, one of `network`, `timeout`, `disconnected`.
 */
export class ChatError extends Error {
  readonly code: string;
  readonly status: number | null;
  readonly retryAfterMs: number | null;

  constructor(
    code: string,
    detail: string,
    options: { status?: number | null; retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = "ChatError";
    this.code = code;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }

  /** Whether the same call may succeed later without anyone changing anything. */
  get isTransient(): boolean {
    return TRANSIENT.has(this.code);
  }
}

const TRANSIENT = new Set([
  "rate_limited",
  "unavailable",
  "unauthenticated",
  "network",
  "timeout",
  "disconnected",
]);

const CODE_BY_STATUS: Record<number, string> = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  408: "timeout",
  413: "too_large",
  415: "unsupported_type",
  429: "rate_limited",
};

/** Read a refusal from an HTTP answer, be it problem+json or whatever a proxy wrote. */
export function errorFromResponse(status: number, body: unknown, retryAfter: string | null): ChatError {
  const problem = isRecord(body) ? body : {};
  const fallback = CODE_BY_STATUS[status] ?? (status >= 500 ? "unavailable" : "invalid");
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  const fromHeader = Number.isFinite(seconds) ? seconds * 1000 : null;
  return new ChatError(
    typeof problem.code === "string" ? problem.code : fallback,
    typeof problem.detail === "string" ? problem.detail : `the service answered ${status}`,
    { status, retryAfterMs: typeof problem.retryAfterMs === "number" ? problem.retryAfterMs : fromHeader },
  );
}

/** Turn anything thrown into a ChatError; what is not one means that no answer was read. */
export function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ChatError("network", detail, { cause: error });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
