import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { usePeople } from "../people/naming.ts";

export function TypingIndicator({ conversationId }: { conversationId: string }) {
  const { client } = useChat();
  const find = usePeople();
  const typing = useStore(client.typing(conversationId));
  return (
    <p className="typing" aria-live="off">
      {typing.length > 0 && (
        <>
          <span className="typing-dots" aria-hidden="true"><i /><i /><i /></span>
          <span dir="auto">{sentence(typing.map((userId) => find(userId).displayName))}</span>
        </>
      )}
    </p>
  );
}

function sentence(names: string[]): string {
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing`;
  return "Several people are typing";
}
