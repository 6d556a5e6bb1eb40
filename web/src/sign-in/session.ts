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
 * The user of this tab: named in the address (`?as=ben`), or chosen earlier in this tab. A tab that a
 * notification opened has the user who was last chosen in this browser.
 */
export function rememberedUser(): string | null {
  const named = new URLSearchParams(location.search).get("as");
  const byNotification = location.hash.startsWith("#/c/") ? localStorage.getItem(KEY) : null;
  return named || sessionStorage.getItem(KEY) || byNotification;
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

/** The people of the demo directory. */
export function demoUsers(): Promise<DemoUser[]> {
  return requestUsers("");
}

/** The users whose name or id contains these words, contacts or not. */
export function searchUsers(words: string): Promise<DemoUser[]> {
  return requestUsers(`?search=${encodeURIComponent(words)}`);
}

/** Names and pictures of these users, as far as the website knows them. */
export function namedUsers(userIds: readonly string[]): Promise<DemoUser[]> {
  return requestUsers(`?userIds=${encodeURIComponent(userIds.join(","))}`);
}

async function requestUsers(query: string): Promise<DemoUser[]> {
  const response = await fetch(`/dev/users${query}`);
  if (!response.ok) throw new Error(`the directory answered ${response.status}`);
  return ((await response.json()) as { items: DemoUser[] }).items;
}

const USER_ID = /^(?=.*[A-Za-z0-9])[A-Za-z0-9._:@-]{1,128}$/;

/**
 * Sign in by what was typed: a user id, a demo person's name, or any other name, from which an id is made.
 *
 * Returns the user id, once the website has its user.
 */
export async function signIn(typed: string, demo: readonly DemoUser[]): Promise<string> {
  const text = typed.trim().replace(/\s+/g, " ");
  const same = (name: string) => name.toLocaleLowerCase() === text.toLocaleLowerCase();
  const demoUser = demo.find(({ userId, displayName }) => same(userId) || same(displayName));
  const userId = demoUser?.userId ?? (USER_ID.test(text) ? text : idOf(text));
  await requestToken(userId, userId === text || demoUser ? undefined : text.slice(0, 100));
  return userId;
}

/** "José Núñez" becomes `jose.nunez`; a name without a Latin letter becomes its code points. */
export function idOf(name: string): string {
  const plain = name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const id = plain.replace(/[^a-z0-9@-]+/g, ".").replace(/^[.]+|[.]+$/g, "");
  const codes = () => Array.from(name, (letter) => letter.codePointAt(0)?.toString(16)).join("-");
  return (USER_ID.test(id) ? id : `u-${codes()}`).slice(0, 128);
}

async function requestToken(userId: string, name?: string): Promise<string> {
  const response = await fetch("/dev/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ userId, ...(name ? { name } : {}) }),
  });
  if (!response.ok) throw new Error(`no token for ${userId}`);
  return ((await response.json()) as { token: string }).token;
}

/** Tokens of the local issuer, renewed a minute before they expire; simultaneous calls share one request. */
export function demoTokens(userId: string): TokenProvider {
  let current: { token: string; expiresAt: number } | null = null;
  let pending: Promise<string> | null = null;

  const fetchToken = async (): Promise<string> => {
    const token = await requestToken(userId);
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
