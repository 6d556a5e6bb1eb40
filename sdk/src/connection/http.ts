import { ChatError, asChatError, errorFromResponse } from "../common/errors.ts";

/** Supplies the website's token. `refresh` asks for a new one, because the service refused the last. */
export type TokenProvider = (options: { refresh: boolean }) => Promise<string>;

export interface HttpOptions {
  baseUrl: string;
  tokenProvider: TokenProvider;
  fetch?: typeof fetch;
  timeoutMs?: number;
}

/** JSON over HTTP as the signed-in user. Every failure is a ChatError. */
export class Http {
  readonly #base: string;
  readonly #token: TokenProvider;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;

  constructor(options: HttpOptions) {
    this.#base = `${options.baseUrl.replace(/\/$/, "")}/api`;
    this.#token = options.tokenProvider;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#timeoutMs = options.timeoutMs ?? 20_000;
  }

  /** Call `path` below `/api`; after a 401 once more with a renewed token. */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.fetch(method, path, body);
    if (response.status === 204) return undefined as T;
    return (await readJson(response)) as T;
  }

  /** Like `request`, but returns the response itself, after redirects. */
  async fetch(method: string, path: string, body?: unknown): Promise<Response> {
    let response = await this.#attempt(method, path, body, false);
    if (response.status === 401) response = await this.#attempt(method, path, body, true);
    if (response.ok) return response;
    const problem = await readJson(response).catch(() => null);
    throw errorFromResponse(response.status, problem, response.headers.get("retry-after"));
  }

  async #attempt(method: string, path: string, body: unknown, refresh: boolean): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#timeoutMs);
    try {
      const headers: Record<string, string> = {
        authorization: `Bearer ${await this.#token({ refresh })}`,
      };
      if (body !== undefined) headers["content-type"] = "application/json";
      return await this.#fetch(this.#base + path, {
        method,
        headers,
        signal: abort.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (abort.signal.aborted) throw new ChatError("timeout", `no answer within ${this.#timeoutMs} ms`);
      throw asChatError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    throw new ChatError("unavailable", "the answer is not JSON", { status: response.status });
  }
}
