// Shows the notifications that the service sends while the page is closed, and opens the conversation of a click.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// Pushes are handled one after another. A push either shows a notification or clears those that the user has read on
// another device, and handlers of one worker run concurrently: a clearing that overtook the notification before it
// would find nothing to close, and the read message would be shown for good. (Chromium also drops a notification
// that is being shown while others are listed.) A late clearing closes nothing newer, since it compares sequences.
// web/test/notifications/service-worker.test.ts proves both.
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
