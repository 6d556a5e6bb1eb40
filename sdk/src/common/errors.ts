/**
 * Why a call failed.
 *
 * `code` is one of the codes of docs/protocol.md (`rate_limited`, `blocked`, ...) or, where no answer of the
 * service arrived, `network`, `timeout` or `disconnected`.
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

  /** Whether the same call may succeed later, unchanged. */
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

/** Make a ChatError of an HTTP answer, either the service's problem+json or the page of a proxy. */
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

/** Make a ChatError of anything thrown; any other error means that no answer arrived. */
export function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ChatError("network", detail, { cause: error });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
