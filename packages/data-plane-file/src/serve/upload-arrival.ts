import type { Readable } from "node:stream";
import type { Format } from "@aieffect/control-interface";
import type { FilePlane } from "../plane.ts";
import { createDigest, type Digest } from "../write/digest.ts";
import type { StoredPayload } from "../write/store.ts";
import { type UnnamedFile, writeUnnamed } from "../write/write-file.ts";
import { readUploadFields, toShownName, type UploadFields } from "./upload-form.ts";
import { refused } from "./upload-refusals.ts";

/** One upload. */
export interface ReceiveCall {
  /** Where the form names no workflow. */
  workflow_id: string;
  /** Where the form names no task. */
  task_id: string;
  /** Ends the receiving; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** Told of every folder just before it is made for it; rejecting ends the receiving. */
  beforeFolder?: ((folder: string) => Promise<void>) | undefined;
  /** Told of every folder that is made for it, before anything is in it; rejecting ends the receiving. */
  onFolder?: ((folder: string) => Promise<void>) | undefined;
}

/** A file that was received, checked and stored. */
export interface ReceivedUpload {
  workflow_id: string;
  task_id: string;
  /** A task's folder of its own (R-RUN-06); whoever has it removes it. */
  folder: string;
  stored: StoredPayload;
  /** As it was sent, with the file's name as `filename` unless it has one. */
  metadata: Record<string, unknown>;
}

/** A file that has arrived. */
export interface Arrived {
  file: UnnamedFile;
  digest: Digest;
  file_name: string;
  media_type: string;
}

/** A file as multer hands it over. */
interface FilePart {
  stream: Readable;
  /** The client's name for it. */
  originalname: string;
  mimetype: string;
}

/** A file on its way to disk, in a task's folder of its own. */
export interface Arrival {
  /** Writes it to its end. */
  write(sent: Record<string, unknown>, part: FilePart): Promise<void>;
  readonly arrived: Arrived | undefined;
  /** Gives it its name, in the folder of the workflow and task that it belongs to. */
  settle(fields: UploadFields, file: Arrived & { format: Format }): Promise<ReceivedUpload>;
  /** Removes all that there is, once nothing writes to it any more. */
  discard(): Promise<void>;
}

/** Begins nothing before a file comes. */
export function createArrival(plane: FilePlane, call: ReceiveCall): Arrival {
  const folders = new Map<string, string>();
  let writing: Promise<void> | undefined;
  let arrived: Arrived | undefined;

  /** Fields that come behind the file may tell that it belongs elsewhere. */
  async function folderFor({ workflow_id, task_id }: { workflow_id: string; task_id: string }) {
    const key = JSON.stringify([workflow_id, task_id]);
    const known = folders.get(key);
    if (known !== undefined) return known;
    const folder = await plane.createTaskFolder(workflow_id, task_id, call.beforeFolder);
    folders.set(key, folder);
    await call.onFolder?.(folder);
    return folder;
  }

  async function write(sent: Record<string, unknown>, part: FilePart): Promise<void> {
    // Listened for at once: it may come with the first bytes.
    const tooLong = new AbortController();
    part.stream.once("limit", () => tooLong.abort());
    // What came before the file is checked before the file is read.
    const { fields, issues } = readUploadFields(sent);
    if (issues.length > 0) throw refused(issues);
    const folder = await folderFor(idsOf(fields, call));
    const digest = createDigest("binary");
    const file = await writeUnnamed(part.stream, {
      folder,
      shown: `the upload in ${folder}`,
      watch: digest.update,
      signal: tooLong.signal,
    });
    const file_name = toShownName(part.originalname);
    arrived = { file, digest: digest.result(), file_name, media_type: part.mimetype };
  }

  return {
    write(sent, part) {
      writing = write(sent, part);
      return writing;
    },
    get arrived() {
      return arrived;
    },
    async settle(fields, { file, digest, file_name, format }) {
      const ids = idsOf(fields, call);
      const folder = await folderFor(ids);
      const path = await file.giveName(folder, `upload.${format}`);
      for (const other of folders.values()) if (other !== folder) await plane.removeTaskFolder(other);
      const { size_bytes, checksum } = digest;
      // What the form says itself goes first (R-UP-05).
      const metadata = { ...(file_name !== "" && { filename: file_name }), ...fields.metadata };
      return { ...ids, folder, stored: { path, size_bytes, checksum, format }, metadata };
    },
    async discard() {
      // Its failure is what is being told, or comes of it.
      await writing?.catch(() => {});
      for (const folder of folders.values()) await plane.removeTaskFolder(folder);
    },
  };
}

function idsOf({ workflow_id, task_id }: UploadFields, call: ReceiveCall) {
  return { workflow_id: workflow_id ?? call.workflow_id, task_id: task_id ?? call.task_id };
}
