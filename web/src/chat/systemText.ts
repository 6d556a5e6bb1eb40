import type { Message } from "@parley/sdk";
import type { FindPerson } from "./naming.ts";

/** A system message in words. */
export function systemText(message: Message, _find: FindPerson): string {
  return message.body;
}
