import { strToU8, type ZippableFile, zipSync } from "fflate";
import type { ExportPlan } from "../plan/export-plan.ts";

/** What an export writes into its folder; anything else there is somebody else's. */
export const exportEntries = [
  "blueprint.json",
  "dockerinfo.json",
  "generation_metadata.json",
  "microservice",
];

/** The texts of an export by path, as the folder has them. */
export function toExportFiles({ blueprint, dockerinfo, metadata, protos }: ExportPlan): Map<string, string> {
  return new Map([
    ["blueprint.json", toJson(blueprint)],
    ["dockerinfo.json", toJson(dockerinfo)],
    ["generation_metadata.json", toJson(metadata)],
    ...protos,
  ]);
}

/** The archive that the portal imports: all but the metadata. The same plan gives the same bytes everywhere. */
export function toExportZip(plan: ExportPlan): Uint8Array {
  const entries = [...toExportFiles(plan)]
    .filter(([path]) => path !== "generation_metadata.json")
    .map(([path, text]): [string, ZippableFile] => {
      const content = strToU8(text);
      return [path, [content, { level: content.length < smallest_compressed ? 0 : 6 }]];
    });
  // Archives hold local times: made of its parts this one is the same in every time zone.
  const mtime = new Date(1980, 0, 1, 12);
  return zipSync(Object.fromEntries(entries), { mtime });
}

/** Of a thousand small protos, compressing each takes longer than all the rest. */
const smallest_compressed = 4096;

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
