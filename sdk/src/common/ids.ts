let lastTime = 0;
let counter = 0;

/**
 * Make a UUIDv7 (RFC 9562 §5.7); the ids of one process rise strictly, also within a millisecond.
 *
 * The 12 bits after the version count within the millisecond (method 1 of §6.2); when they run out
 * the next millisecond is borrowed.
 */
export function uuid7(now: number = Date.now()): string {
  if (now > lastTime) {
    lastTime = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastTime += 1;
    counter = 0;
  }
  const random = crypto.getRandomValues(new Uint8Array(8));
  random[0] = ((random[0] ?? 0) & 0x3f) | 0x80;
  const tail = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = lastTime.toString(16).padStart(12, "0");
  const count = counter.toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
