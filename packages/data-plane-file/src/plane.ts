import type { Readable } from "node:stream";
import type { DataReference } from "@aieffect/control-interface";
import { type FilePlaneOptions, resolveOptions } from "./options.ts";
import { createFetcher, type FetchOptions } from "./read/fetch.ts";
import { type LocalPathOptions, toLocalPath } from "./read/local-path.ts";
import { openReference } from "./read/open.ts";
import { openVerified } from "./read/open-verified.ts";
import { readWhole } from "./read/read-whole.ts";
import type { S3Object } from "./s3/address.ts";
import { createS3Store, type PutOptions } from "./s3/store.ts";
import type { Content } from "./write/content.ts";
import { folderSize } from "./write/folder-size.ts";
import { type StoredPayload, type StoreOptions, store } from "./write/store.ts";
import { countTaskFolders, createTaskFolder, removeTaskFolder } from "./write/task-folder.ts";

/**
 * Reads `inline`, `file`, `http`, `https` and `s3` references and stores payloads, in constant memory.
 * Whatever cannot be read rejects, or errors the stream, with ControlError `unreadable_reference`;
 * a reference that breaks a rule with `invalid_reference`; a caller's abort with `aborted`.
 */
export interface FilePlane {
  /** As given in the options; for `max_bytes` of `toInlineReference`. */
  readonly max_inline_bytes: number;
  /** The bucket that {@link FilePlane.putObject} puts into; undefined without one. */
  readonly bucket: string | undefined;
  /**
   * The payload as a stream. At its end it is compared with the reference's `size_bytes` and
   * `checksum`: the stream errors instead of ending when they differ. Destroy it to stop early.
   */
  open(reference: DataReference, options?: FetchOptions): Promise<Readable>;
  /**
   * As `open`, but nothing of it is given before all of it is there and verified: it is fetched into
   * `folder` first, anew if it came damaged. That copy is removed when the stream closes.
   */
  openVerified(reference: DataReference, folder: string, options?: FetchOptions): Promise<Readable>;
  /**
   * Hands the payload to a reader that keeps it back until its end, and once more, from its
   * beginning, when it came damaged. `take` has to reject with the stream's own error.
   */
  readWhole<T>(
    reference: DataReference,
    take: (payload: Readable) => Promise<T>,
    options?: FetchOptions,
  ): Promise<T>;
  /**
   * The path of a local file with the payload. Of a `file` reference that is the file itself,
   * links resolved, which must not be changed; of any other a copy written atomically in `folder`.
   */
  localPath(reference: DataReference, folder: string, options?: LocalPathOptions): Promise<string>;
  /**
   * Creates a folder that belongs to one execution alone (R-RUN-06): `<data_dir>/<workflow>/<task>`,
   * for later executions `<task>~2` and so on; with the option `folder_tag`, `<task>~<folder_tag>`. Ids may be any text. Safe between processes.
   */
  createTaskFolder(
    workflow_id: string,
    task_id: string,
    /** Told its path, just before it is made; rejecting ends it. Another path follows where somebody else was quicker. */
    before?: (folder: string) => Promise<void>,
  ): Promise<string>;
  /** Removes a task's folder and all that is in it. @throws TypeError unless it is one below `data_dir` */
  removeTaskFolder(folder: string): Promise<void>;
  /** Bytes of all files in a task's folder; links are not followed, and a folder that is gone has none. */
  folderSize(folder: string): Promise<number>;
  /** How many tasks have a folder below `data_dir`, of whatever service; counts no further than `limit`. */
  countTaskFolders(limit: number): Promise<number>;
  /** Stores content whole or not at all, and measures it; see {@link StoreOptions}. */
  store(content: Content, options: StoreOptions): Promise<StoredPayload>;
  /**
   * Puts a stored payload into the bucket of the option `s3`, whole or not at all, in constant
   * memory: under the key `<prefix><ids>/<name>`, for `toS3Reference`. Rejects with ControlError
   * `peer_refused`, `unreachable`, `timeout`, `storage_full` or `aborted`, which says why.
   *
   * @throws TypeError without the option `s3.bucket`
   */
  putObject(stored: StoredPayload, options: PutOptions): Promise<S3Object>;
  /**
   * A URL with which anybody can fetch an object for `s3.presign_s` seconds, for `toHttpReference`.
   *
   * @throws TypeError without the option `s3`
   */
  presign(object: S3Object): string;
  /** Closes all connections; a fetch that still runs errors. */
  close(): void;
}

/** Builds a file data plane. Nothing is touched before it is used. @throws TypeError for options that cannot be meant */
export function createFilePlane(options: FilePlaneOptions): FilePlane {
  const resolved = resolveOptions(options);
  const { data_dir, folder_tag, roots, max_inline_bytes } = resolved;
  const fetcher = createFetcher(resolved);
  const s3 = createS3Store(resolved.s3, {
    hosts: resolved.hosts,
    idle_timeout_ms: resolved.fetch_idle_timeout_ms,
    retries: resolved.fetch_retries,
    backoff_ms: resolved.fetch_backoff_ms,
    consent_ms: 1_000,
  });
  const sources = { roots, fetcher, s3 };
  return {
    max_inline_bytes,
    bucket: s3.bucket,
    open: (reference, given = {}) => openReference(reference, sources, given),
    openVerified: (reference, folder, given = {}) => openVerified(reference, folder, sources, given),
    readWhole: (reference, take, given = {}) => readWhole(reference, sources, given, take),
    localPath: (reference, folder, given = {}) => toLocalPath(reference, folder, sources, given),
    createTaskFolder: (workflow_id, task_id, before) =>
      createTaskFolder(data_dir, workflow_id, task_id, folder_tag, before),
    removeTaskFolder: (folder) => removeTaskFolder(data_dir, folder),
    folderSize,
    countTaskFolders: (limit) => countTaskFolders(data_dir, limit),
    store,
    putObject: s3.put,
    presign: s3.presign,
    close() {
      fetcher.close();
      s3.close();
    },
  };
}
