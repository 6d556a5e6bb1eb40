import { DefaultHttpClient, HttpClient, type HttpRequest, type HttpResponse, NullLogger } from "@microsoft/signalr";

/** Adds headers to calls of the website only: SignalR Service, where negotiate redirects, does not get them. */
export class SiteHttpClient extends HttpClient {
  readonly #inner = new DefaultHttpClient(NullLogger.instance);
  readonly #prefix: string;
  readonly #headers: Record<string, string>;

  constructor(baseUrl: string, headers: Record<string, string>) {
    super();
    this.#prefix = `${baseUrl.replace(/\/$/, "")}/api`;
    this.#headers = headers;
  }

  override send(request: HttpRequest): Promise<HttpResponse> {
    const isSite = request.url?.startsWith(this.#prefix) ?? false;
    return this.#inner.send(isSite ? { ...request, headers: { ...request.headers, ...this.#headers } } : request);
  }

  override getCookieString(url: string): string {
    return this.#inner.getCookieString(url);
  }
}
