import { pipeline, type Readable } from "node:stream";
import { ControlError, checkReference, type DataReference } from "@aieffect/control-interface";
import type { S3Store } from "../s3/store.ts";
import { assertWanted, givenUp, toUnreadable } from "./failures.ts";
import type { Fetcher, FetchOptions } from "./fetch.ts";
import { openFile } from "./file.ts";
import { openInline } from "./inline.ts";
import { bufferSize } from "./transfer.ts";
import { canVerify, createVerifier } from "./verify.ts";

/** What a payload is read with. */
export interface Sources {
  roots: readonly string[];
  fetcher: Fetcher;
  s3: Pick<S3Store, "find">;
}

/** Whether a payload comes over the network, where bytes may be damaged on their way. */
export function isFetched({ protocol }: DataReference): boolean {
  return protocol === "http" || protocol === "https" || protocol === "s3";
}

/**
 * Opens a payload; its size and checksum are verified when it ends.
 *
 * @param advice what to do about a payload that differs
 */
export async function openReference(
  reference: DataReference,
  sources: Sources,
  options: FetchOptions,
  advice = isFetched(reference) ? refetch : "produce it again",
): Promise<Readable> {
  const { signal } = options;
  assertReadable(reference);
  assertWanted(`Reading ${reference.protocol}`, signal);
  const { source, what } = await openSource(reference, sources, options);
  const verified = createVerifier(reference, what, advice);
  // Ahead of the pipeline's own listener, so that the reader gets the error that explains itself.
  source.once("error", (error) => verified.destroy(toUnreadable(what, error)));
  const onAbort = () => verified.destroy(givenUp(`Reading ${what}`, signal as AbortSignal));
  // Each side's error reaches the other. It waits in the stream until somebody reads: the pipeline
  // goes on listening, so that a reader that has not begun yet is no reason to crash.
  pipeline(source, verified, () => signal?.removeEventListener("abort", onAbort));
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return verified;
}

/** @throws ControlError `invalid_reference` when a rule is broken, `unreadable_reference` when it is another plane's */
export function assertReadable(reference: DataReference): void {
  const { problems } = checkReference(reference, { null_metadata: true });
  if (problems.length > 0) {
    const found = problems.map(({ message, rule }) => `${message} (${rule})`).join("; ");
    throw new ControlError("invalid_reference", `Invalid DataReference. ${found}`);
  }
}

/** The bytes are with the reader already, who alone could take them back. */
const refetch =
  "use stream({ verified: true }) or path() of an input, or openVerified() or localPath() of a data plane, to have it fetched again";

async function openSource(
  { protocol, uri, checksum }: DataReference,
  { roots, fetcher, s3 }: Sources,
  options: FetchOptions,
): Promise<{ source: Readable; what: string }> {
  switch (protocol) {
    case "inline":
      return { source: openInline(uri), what: "the inline payload" };
    case "file": {
      const { handle, path } = await openFile(uri, roots);
      return { source: handle.createReadStream({ highWaterMark: bufferSize }), what: path };
    }
    case "http":
    case "https": {
      const { body, what } = await fetcher.fetch(uri, { ...options, verified: canVerify(checksum) });
      return { source: body, what };
    }
    case "s3": {
      const { origin, manners } = s3.find(uri);
      const { body, what } = await fetcher.fetch(origin, {
        ...options,
        verified: canVerify(checksum),
        manners,
      });
      return { source: body, what };
    }
    default:
      throw new ControlError(
        "unreadable_reference",
        `Expected a reference of protocol inline, file, http, https or s3, found ${protocol}: the file data plane cannot open it; ask the service before for one of these, or open it with a data plane for ${protocol}`,
      );
  }
}
