/** The longest wait for a frame: a hidden tab draws none. */
const LONGEST_WAIT_MS = 250;

/**
 * Run `work` before the next frame is drawn; a page that draws no frames runs it after 250 ms.
 *
 * Work that is requested several times before the frame runs once.
 */
export class Frames {
  readonly #due = new Set<() => void>();
  #cancel: (() => void) | null = null;

  request(work: () => void): void {
    this.#due.add(work);
    if (this.#cancel) return;
    const frame = requestAnimationFrame(() => this.#run());
    const timer = setTimeout(() => this.#run(), LONGEST_WAIT_MS);
    this.#cancel = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }

  #run(): void {
    this.#cancel?.();
    this.#cancel = null;
    const due = [...this.#due];
    this.#due.clear();
    for (const work of due) work();
  }
}
