import type { ReactNode } from "react";
import { ChatClient } from "@parley/sdk";
import { useAsync } from "../common/useAsync.ts";
import { Toasts } from "../controls/toasts.ts";
import { UploadQueues } from "../files/uploads.ts";
import { Blocks } from "../people/blocks.ts";
import { Directory } from "../people/directory.ts";
import { demoTokens } from "../sign-in/session.ts";
import { ChatContext, type Chat } from "./context.ts";

/** Makes one user's chat available to everything below, for as long as it is mounted. */
export function ChatProvider({ userId, children }: { userId: string; children: ReactNode }) {
  const { value: chat } = useAsync(userId, () => startChat(userId), stopChat);
  return chat && <ChatContext value={chat}>{children}</ChatContext>;
}

async function startChat(userId: string): Promise<Chat> {
  const client = new ChatClient({ baseUrl: location.origin, userId, tokenProvider: demoTokens(userId) });
  const directory = new Directory(client);
  const toasts = new Toasts();
  const blocks = new Blocks(client);
  void directory.load();
  await client.start();
  blocks.start(document);
  return { client, directory, toasts, blocks, uploads: new UploadQueues(client, toasts) };
}

function stopChat({ client, uploads }: Chat): void {
  uploads.stop();
  void client.stop();
}
