import { type ReactNode, useEffect, useState } from "react";
import { ChatClient } from "@parley/sdk";
import { Blocks } from "../people/blocks.ts";
import { ChatContext, type Chat } from "./context.ts";
import { Directory } from "../people/directory.ts";
import { Toasts } from "../controls/toasts.ts";
import { demoTokens } from "../sign-in/session.ts";
import { UploadQueues } from "../files/uploads.ts";

/** Makes one user's chat available to everything below, for as long as it is mounted. */
export function ChatProvider({ userId, children }: { userId: string; children: ReactNode }) {
  const [chat, setChat] = useState<Chat | null>(null);

  useEffect(() => {
    const client = new ChatClient({
      baseUrl: location.origin,
      userId,
      tokenProvider: demoTokens(userId),
    });
    const directory = new Directory(client);
    const toasts = new Toasts();
    const blocks = new Blocks(client);
    const uploads = new UploadQueues(client, toasts);
    let current = true;
    void directory.load();
    void client.start().then(() => {
      if (!current) return;
      blocks.start();
      setChat({ client, directory, toasts, blocks, uploads });
    });
    return () => {
      current = false;
      uploads.stop();
      void client.stop();
    };
  }, [userId]);

  return chat && <ChatContext value={chat}>{children}</ChatContext>;
}
