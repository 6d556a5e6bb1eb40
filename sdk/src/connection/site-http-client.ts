import {
  DefaultHttpClient,
  HttpClient,
  HttpError,
  type HttpRequest,
  type HttpResponse,
  NullLogger,
} from "@microsoft/signalr";
import { isRecord } from "../common/errors.ts";

/** Adds headers to calls of the website only: SignalR Service, to which negotiate redirects, does not get them. */
export class SiteHttpClient extends HttpClient {
  readonly #inner: HttpClient;
  readonly #prefix: string;
  readonly #headers: Record<string, string>;
  #retryAfterMs: number | null = null;

  constructor(
    baseUrl: string,
    headers: Record<string, string>,
    inner: HttpClient = new DefaultHttpClient(NullLogger.instance),
  ) {
    super();
    this.#inner = inner;
    this.#prefix = `${baseUrl.replace(/\/$/, "")}/api`;
    this.#headers = headers;
  }

  override async send(request: HttpRequest): Promise<HttpResponse> {
    const isSite = request.url?.startsWith(this.#prefix) ?? false;
    if (!isSite) return this.#inner.send(request);
    this.#retryAfterMs = null;
    try {
      return await this.#inner.send({ ...request, headers: { ...request.headers, ...this.#headers } });
    } catch (error) {
      this.#retryAfterMs = retryAfterMs(error);
      throw error;
    }
  }

  /** How long the website's last refusal asked to wait; null if it did not, and from the second call on. */
  consumeRetryAfterMs(): number | null {
    const waitMs = this.#retryAfterMs;
    this.#retryAfterMs = null;
    return waitMs;
  }

  override getCookieString(url: string): string {
    return this.#inner.getCookieString(url);
  }
}

/** The client library puts the body of a refusal into the error's message, followed by the status. */
function retryAfterMs(error: unknown): number | null {
  if (!(error instanceof HttpError) || (error.statusCode !== 429 && error.statusCode !== 503)) return null;
  try {
    const problem: unknown = JSON.parse(error.message.slice(0, error.message.lastIndexOf("}") + 1));
    const waitMs = isRecord(problem) ? problem.retryAfterMs : null;
    return typeof waitMs === "number" && waitMs >= 0 ? waitMs : null;
  } catch {
    return null; // The answer of a proxy, not of the app.
  }
}
