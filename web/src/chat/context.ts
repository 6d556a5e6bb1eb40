import { createContext, use } from "react";
import type { ChatClient } from "@parley/sdk";
import type { Blocks } from "./blocks.ts";
import type { Directory } from "./directory.ts";
import type { Notices } from "./notices.ts";
import type { UploadQueues } from "./uploads.ts";

export interface Chat {
  client: ChatClient;
  directory: Directory;
  notices: Notices;
  blocks: Blocks;
  uploads: UploadQueues;
}

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = use(ChatContext);
  if (!chat) throw new Error("useChat needs a ChatProvider above");
  return chat;
}
