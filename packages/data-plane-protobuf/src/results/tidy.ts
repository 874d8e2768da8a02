import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** After so many bytes; less than V8 lets pile up after a full collection before the next one. */
const every_bytes = 4 * 2 ** 20;

/**
 * For streams that leave megabytes of short-lived buffers behind, most of them gRPC's own. V8 counts
 * young ones towards the limit at which it marks the whole heap, and looks for them alone only above
 * 32 MB: once that limit is low, as after a pause, it marks everything for every dozen megabytes, which
 * costs several times what sending them does. Collecting the young ones now and then takes under a
 * millisecond, and the whole heap is left alone.
 *
 * @returns to be told of bytes as they pass
 */
export function createTidying(): (bytes: number) => void {
  const collect = findCollector();
  let passed = 0;
  return (bytes) => {
    passed += bytes;
    if (passed < every_bytes) return;
    passed = 0;
    collect?.({ type: "minor" });
  };
}

type Collector = (options: { type: "minor" }) => void;

let found: Collector | undefined;

/** V8 shows it to contexts that are made while it is told to; those that there are do not get it. */
function findCollector(): Collector | undefined {
  if (found !== undefined) return found;
  const shown = (globalThis as { gc?: Collector }).gc;
  if (shown !== undefined) {
    found = shown;
    return found;
  }
  setFlagsFromString("--expose-gc");
  found = runInNewContext("globalThis.gc") as Collector | undefined;
  setFlagsFromString("--no-expose-gc");
  return found;
}
