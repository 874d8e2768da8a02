import type { Readable } from "node:stream";
import type { DataReference } from "@aieffect/control-interface";
import { assertWanted } from "./failures.ts";
import type { FetchOptions } from "./fetch.ts";
import { isFetched, openReference, type Sources } from "./open.ts";

/**
 * Hands a payload to a reader that keeps it back until it is verified, and once more from its
 * beginning when it came damaged over the network.
 *
 * @returns what `take` gives; it has to reject with the stream's own error
 */
export async function readWhole<T>(
  reference: DataReference,
  sources: Sources,
  options: FetchOptions,
  take: (payload: Readable) => Promise<T>,
): Promise<T> {
  const patience = sources.fetcher.createPatience(options);
  const { signal } = options;
  for (;;) {
    const payload = await openReference(reference, sources, options, "produce it again");
    try {
      return await take(payload);
    } catch (error) {
      if (!isFetched(reference)) throw error;
      await patience.again(error, 0, signal).catch((reason: unknown) => {
        assertWanted(`Reading ${reference.protocol}`, signal);
        throw reason;
      });
    } finally {
      payload.destroy();
    }
  }
}
