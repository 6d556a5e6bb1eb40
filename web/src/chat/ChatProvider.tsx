import { type ReactNode, useEffect, useState } from "react";
import { ChatClient } from "@parley/sdk";
import { Blocks } from "./blocks.ts";
import { ChatContext, type Chat } from "./context.ts";
import { Directory } from "./directory.ts";
import { Notices } from "./notices.ts";
import { demoTokens } from "./session.ts";
import { UploadQueues } from "./uploads.ts";

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
    const notices = new Notices();
    const blocks = new Blocks(client);
    const uploads = new UploadQueues(client, notices);
    let current = true;
    void directory.load();
    void client.start().then(() => {
      if (!current) return;
      blocks.start();
      setChat({ client, directory, notices, blocks, uploads });
    });
    return () => {
      current = false;
      uploads.stop();
      void client.stop();
    };
  }, [userId]);

  return chat && <ChatContext value={chat}>{children}</ChatContext>;
}
