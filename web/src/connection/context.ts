import { createContext, use } from "react";
import type { ChatClient } from "@parley/sdk";
import type { Toasts } from "../controls/toasts.ts";
import type { UploadQueues } from "../files/uploads.ts";
import type { Blocks } from "../people/blocks.ts";
import type { Directory } from "../people/directory.ts";

export interface Chat {
  client: ChatClient;
  directory: Directory;
  toasts: Toasts;
  blocks: Blocks;
  uploads: UploadQueues;
}

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = use(ChatContext);
  if (!chat) throw new Error("useChat needs a ChatProvider above");
  return chat;
}
