/** Messages that were asked for, as long as they fit into a limit; who was asked for longest ago goes first. */
export interface MessageCache {
  /** The message, read by `read` where it is not held; those who ask at once share one read. */
  get(path: string, read: () => Promise<Buffer>): Promise<Buffer>;
  /** Gives up what is held of it. */
  drop(path: string): void;
}

/** @param max_bytes of all that are held together */
export function createMessageCache(max_bytes: number): MessageCache {
  const held = new Map<string, { message: Promise<Buffer>; size: number }>();
  let total = 0;

  function drop(path: string): void {
    total -= held.get(path)?.size ?? 0;
    held.delete(path);
  }

  async function keep(path: string, message: Promise<Buffer>): Promise<void> {
    const entry = { message, size: 0 };
    held.set(path, entry);
    try {
      const { length } = await message;
      if (held.get(path) !== entry) return;
      entry.size = length;
      total += length;
    } catch {
      // Whoever asked has the error; the next one reads again.
      if (held.get(path) === entry) held.delete(path);
      return;
    }
    for (const oldest of held.keys()) {
      if (total <= max_bytes) break;
      drop(oldest);
    }
  }

  return {
    get(path, read) {
      const known = held.get(path);
      if (known !== undefined) {
        held.delete(path);
        held.set(path, known);
        return known.message;
      }
      const message = read();
      void keep(path, message);
      return message;
    },
    drop,
  };
}
