import type { TokenProvider } from "@parley/sdk";

/** A person of the website's demo directory. */
export interface DemoUser {
  userId: string;
  displayName: string;
  avatarUrl: string | null;
}

const KEY = "parley.user";
const RENEW_BEFORE_MS = 60_000;

/**
 * Who this tab is: named in the address (`?as=ben`), or picked earlier in this tab; a tab that a
 * notification opened is whoever was picked last in this browser.
 */
export function rememberedUser(): string | null {
  const asked = new URLSearchParams(location.search).get("as");
  const byNotification = location.hash.startsWith("#/c/") ? localStorage.getItem(KEY) : null;
  return asked || sessionStorage.getItem(KEY) || byNotification;
}

export function rememberUser(userId: string | null): void {
  if (userId === null) {
    sessionStorage.removeItem(KEY);
    if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  } else {
    sessionStorage.setItem(KEY, userId);
    localStorage.setItem(KEY, userId);
  }
}

/** The demo directory; where the page is embedded in a real website there is none, and names come from contacts. */
export async function demoUsers(): Promise<DemoUser[]> {
  const response = await fetch("/dev/users");
  if (!response.ok) throw new Error(`the directory answered ${response.status}`);
  return ((await response.json()) as { items: DemoUser[] }).items;
}

/** Tokens of the local issuer, renewed a minute before they expire; simultaneous calls share one request. */
export function demoTokens(userId: string): TokenProvider {
  let current: { token: string; expiresAt: number } | null = null;
  let pending: Promise<string> | null = null;

  const fetchToken = async (): Promise<string> => {
    const response = await fetch("/dev/token", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ userId }),
    });
    if (!response.ok) throw new Error(`no token for ${userId}`);
    const { token } = (await response.json()) as { token: string };
    current = { token, expiresAt: expiryOf(token) };
    return token;
  };

  return ({ refresh }) => {
    if (!refresh && current && Date.now() < current.expiresAt - RENEW_BEFORE_MS) {
      return Promise.resolve(current.token);
    }
    pending ??= fetchToken().finally(() => {
      pending = null;
    });
    return pending;
  };
}

function expiryOf(token: string): number {
  const claims = token.split(".")[1] ?? "";
  try {
    const { exp } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as { exp: number };
    return exp * 1000;
  } catch {
    return 0;
  }
}
