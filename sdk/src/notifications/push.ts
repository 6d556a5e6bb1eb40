import { ChatError } from "../common/errors.ts";
import type { ChatApi } from "../connection/api.ts";

/** Notifications while the page is closed, by the browser's Web Push subscription. */
export class PushNotifications {
  readonly #api: ChatApi;

  constructor(api: ChatApi) {
    this.#api = api;
  }

  /**
   * Subscribe this browser. Call it from a click: browsers ask for permission only then.
   *
   * Throws a ChatError `push_denied` when the user refused, `push_unsupported` when browser or service lack Web Push.
   */
  async enable(registration: ServiceWorkerRegistration): Promise<void> {
    if ((await Notification.requestPermission()) !== "granted") {
      throw new ChatError("push_denied", "notifications are blocked for this site in the browser's settings");
    }
    const { publicKey } = (await this.#api.me()).push;
    if (!publicKey) throw new ChatError("push_unsupported", "the service has no push key");
    const subscription = await registration.pushManager
      .subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
      .catch((error: unknown) => {
        throw new ChatError("push_unsupported", "this browser has no push service", { cause: error });
      });
    const { endpoint, keys } = subscription.toJSON();
    await this.#api.putPushSubscription(await idOf(subscription), { endpoint, keys });
  }

  async disable(registration: ServiceWorkerRegistration): Promise<void> {
    const subscription = await registration.pushManager.getSubscription();
    if (!subscription) return;
    await this.#api.deletePushSubscription(await idOf(subscription));
    await subscription.unsubscribe();
  }

  async isEnabled(registration: ServiceWorkerRegistration): Promise<boolean> {
    return (await registration.pushManager.getSubscription()) !== null;
  }
}

/** The id is made of the endpoint, of which a browser has one: subscribing again replaces the subscription. */
async function idOf(subscription: PushSubscription): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subscription.endpoint));
  return [...new Uint8Array(digest).slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
