// @vitest-environment node
import { ChatError, type AttachmentRef, type ChatClient } from "@parley/sdk";
import { expect, test } from "vitest";
import { Toasts } from "../../src/controls/toasts.ts";
import { UploadQueues } from "../../src/files/uploads.ts";

type Finish = (name: string, error?: ChatError) => Promise<void>;

function queues(): { all: UploadQueues; finish: Finish; aborted: string[] } {
  const running = new Map<string, (error?: ChatError) => void>();
  const aborted: string[] = [];
  const upload = (_: string, file: File, options: { signal: AbortSignal }) =>
    new Promise<AttachmentRef>((resolve, reject) => {
      options.signal.addEventListener("abort", () => aborted.push(file.name));
      const ref = { attachmentId: `id-${file.name}`, fileName: file.name } as AttachmentRef;
      running.set(file.name, (error) => (error ? reject(error) : resolve(ref)));
    });
  const all = new UploadQueues({ upload } as unknown as ChatClient, new Toasts());
  const finish: Finish = async (name, error) => {
    running.get(name)?.(error);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { all, finish, aborted };
}

const file = (name: string) => new File(["x"], name, { type: "text/plain" });
const names = (all: UploadQueues, id: string) => all.of(id).store.get().map((upload) => upload.file.name);

test("taking hands over what is finished; what failed or is under way stays", async () => {
  const { all, finish } = queues();
  all.of("c").add([file("done"), file("failed"), file("running")]);
  await finish("done");
  await finish("failed", new ChatError("too_large", "no"));

  const taken = all.of("c").take();

  expect(taken.map((ref) => ref.fileName)).toEqual(["done"]);
  expect(names(all, "c")).toEqual(["failed", "running"]);
  expect(all.of("c").store.get()[0]?.error).toContain("25 MB");
});

test("each conversation keeps its own files, and they go on while nobody looks", async () => {
  const { all, finish } = queues();
  all.of("c").add([file("one")]);
  all.of("d").add([file("two")]);

  await finish("one");

  expect([names(all, "c"), names(all, "d")]).toEqual([["one"], ["two"]]);
  expect(all.of("c").take().map((ref) => ref.fileName)).toEqual(["one"]);
});

test("a file can be removed or tried again, and the end of the session gives up the rest", async () => {
  const { all, finish, aborted } = queues();
  const queue = all.of("c");
  queue.add([file("unwanted"), file("again"), file("late")]);
  await finish("again", new ChatError("network", "cut"));

  queue.remove(queue.store.get()[0]?.id ?? 0);
  queue.retry(queue.store.get()[0]?.id ?? 0);
  await finish("again");
  all.stop();

  expect(queue.take().map((ref) => ref.fileName)).toEqual(["again"]);
  expect(aborted).toEqual(["unwanted", "late"]);
});

test("a file that is refused for what it is can only be removed; one that failed on the way is tried again", async () => {
  const { all, finish } = queues();
  const canRetry = () => all.of("c").store.get().map((upload) => upload.canRetry);
  all.of("c").add([file("refused"), file("lost")]);
  await finish("refused", new ChatError("unsupported_type", "no"));
  await finish("lost", new ChatError("network", "no"));
  expect(canRetry()).toEqual([false, true]);

  for (const { id } of all.of("c").store.get()) all.of("c").retry(id);
  await finish("lost");

  expect(all.of("c").take().map((ref) => ref.fileName)).toEqual(["lost"]);
  expect(names(all, "c")).toEqual(["refused"]);
});
