/** Fetches what a reference names into a folder with the data plane, and tells how long that took. */
import { rm } from "node:fs/promises";
import type { DataReference } from "@aieffect/control-interface";
import { createFilePlane } from "@aieffect/data-plane-file";

process.on("message", async ({ reference, folder }: { reference: DataReference; folder: string }) => {
  const plane = createFilePlane({ data_dir: folder });
  const began = performance.now();
  const path = await plane.localPath(reference, folder);
  const ms = performance.now() - began;
  plane.close();
  await rm(path);
  process.send?.(ms);
});
process.send?.("ready");
