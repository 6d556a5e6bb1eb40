// Shows what the notification function sends while no page is looking, and opens the conversation on a click.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// One after another: a clearing must not overtake what it clears, and Chromium drops a notification that
// is being shown while others are listed.
let last = Promise.resolve();

self.addEventListener("push", (event) => {
  const message = read(event.data);
  const done = last.then(() => show(message));
  last = done.catch(() => undefined);
  event.waitUntil(done);
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.conversationId));
});

function read(data) {
  try {
    return data.json();
  } catch {
    return {};
  }
}

async function show({ conversationId, title, body, tag, sequence, clear, upTo }) {
  const key = tag ?? conversationId ?? "parley";
  if (clear) {
    for (const shown of await self.registration.getNotifications({ tag: key })) {
      if (!(shown.data?.sequence > upTo)) shown.close();
    }
    return;
  }
  await self.registration.showNotification(title ?? "Parley", {
    body: body ?? "You have new messages",
    tag: key,
    renotify: true,
    icon: "/icon.svg",
    data: { conversationId, sequence },
  });
}

async function open(conversationId) {
  const path = conversationId ? `/#/c/${encodeURIComponent(conversationId)}` : "/";
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((candidate) => candidate.visibilityState === "visible") ?? pages[0];
  if (!page) return self.clients.openWindow(path);
  page.postMessage({ kind: "open-conversation", conversationId });
  return page.focus();
}
