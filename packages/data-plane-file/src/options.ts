import { resolve } from "node:path";
import {
  createHostPolicy,
  type Format,
  formats,
  type HostPolicy,
  type HostPolicyOptions,
  isFormat,
} from "@aieffect/control-interface";
import { type ResolvedS3, resolveS3, type S3Options } from "./s3/resolve-s3.ts";

/** What an upload may be. */
export interface UploadOptions {
  /** Largest file, in bytes. @default 1 GiB */
  max_file_bytes?: number;
  /** Formats that are taken. @default all of R-REF-10 */
  formats?: readonly Format[];
}

/** What a file data plane can be told. */
export interface FilePlaneOptions {
  /** Folder of the payloads: `<data_dir>/<workflow>/<task>/` (R-RUN-06). A relative one is taken from the working directory. */
  data_dir: string;
  /**
   * Ends the names of task folders: `<task>~<folder_tag>`, then `<task>~<folder_tag>~2` and so on. For
   * processes that know each other's folders but may have disks of their own at the same path: with
   * different tags no name means two folders. A letter, then up to 39 letters and digits.
   * @default none
   */
  folder_tag?: string;
  /** Further folders that `file` references may be read from; `data_dir` always is one. @default none */
  roots?: readonly string[];
  /**
   * Which hosts may be fetched from, checked by address, after resolution and after every redirect.
   * Link-local and metadata addresses never are.
   * @default every loopback, private and public host
   */
  hosts?: HostPolicyOptions;
  /** Redirects followed for one payload. @default 5 */
  max_redirects?: number;
  /** Largest payload fetched, in bytes; ends a body that never ends. @default 64 GiB */
  max_fetch_bytes?: number;
  /** A fetch ends when no byte came for so long, in ms. Time in which the reader pauses does not count. @default 60,000 */
  fetch_idle_timeout_ms?: number;
  /**
   * A fetch ends when it is not whole after so long, in ms, however often it was cut: without the time
   * in which the reader pauses, and anew for a payload that came damaged. Ends a body that drips.
   * Infinity: no limit.
   * @default 86,400,000 (24 h)
   */
  fetch_timeout_ms?: number;
  /**
   * How often a fetch goes on after it was cut, refused for the moment, or damaged, as long as it
   * gets no further; it goes on where it was cut when the peer has byte ranges.
   * @default 4
   */
  fetch_retries?: number;
  /**
   * Wait before the first of these retries, in ms; doubled for each further one, up to 5 s. A peer's
   * `Retry-After` is kept to up to 10 s.
   * @default 100
   */
  fetch_backoff_ms?: number;
  /** The store that `s3` references are read from and published to. @default none */
  s3?: S3Options;
  /** Largest payload published inline, in bytes; see {@link FilePlane.max_inline_bytes}. @default 1 MiB */
  max_inline_bytes?: number;
  /**
   * Bearer keys by `host:port`, or by `host` for all its ports. A key is sent to that peer alone
   * (R-SIGN-04), and no longer once a redirect has led to another scheme, host or port.
   * @default none
   */
  peer_keys?: Readonly<Record<string, string>>;
  /** The clock that signatures are dated by, epoch ms. @default Date.now */
  now?: () => number;
}

/** The options with every default filled in and every value checked. */
export interface ResolvedOptions {
  data_dir: string;
  folder_tag: string | undefined;
  /** `data_dir` first. */
  roots: readonly string[];
  hosts: HostPolicy;
  max_redirects: number;
  max_fetch_bytes: number;
  fetch_idle_timeout_ms: number;
  fetch_timeout_ms: number;
  fetch_retries: number;
  fetch_backoff_ms: number;
  max_inline_bytes: number;
  /** By lower-case `host` or `host:port`. */
  peer_keys: ReadonlyMap<string, string>;
  s3: ResolvedS3 | undefined;
}

/** Fills in the defaults; reads no environment. @throws TypeError for a value that cannot be meant */
export function resolveOptions(given: FilePlaneOptions): ResolvedOptions {
  const data_dir = toFolder("data_dir", given.data_dir);
  return {
    data_dir,
    folder_tag: toTag(given.folder_tag),
    roots: [data_dir, ...(given.roots ?? []).map((root) => toFolder("roots", root))],
    hosts: createHostPolicy(given.hosts),
    max_redirects: toInteger("max_redirects", given.max_redirects ?? 5, 0),
    max_fetch_bytes: toInteger("max_fetch_bytes", given.max_fetch_bytes ?? 64 * 2 ** 30, 1),
    fetch_idle_timeout_ms: toTimeout("fetch_idle_timeout_ms", given.fetch_idle_timeout_ms ?? 60_000, ""),
    fetch_timeout_ms:
      given.fetch_timeout_ms === Number.POSITIVE_INFINITY
        ? given.fetch_timeout_ms
        : toTimeout("fetch_timeout_ms", given.fetch_timeout_ms ?? 86_400_000, ", or Infinity for no limit"),
    fetch_retries: toInteger("fetch_retries", given.fetch_retries ?? 4, 0),
    fetch_backoff_ms: toInteger("fetch_backoff_ms", given.fetch_backoff_ms ?? 100, 1),
    max_inline_bytes: toInteger("max_inline_bytes", given.max_inline_bytes ?? 2 ** 20, 0),
    peer_keys: new Map(Object.entries(given.peer_keys ?? {}).map(toPeerKey)),
    s3: given.s3 && resolveS3(given.s3, given.now ?? Date.now),
  };
}

/** Fills in the defaults. @throws TypeError for a value that cannot be meant */
export function resolveUploadOptions(given: UploadOptions = {}): Required<UploadOptions> {
  const { max_file_bytes = 2 ** 30, formats: taken = formats } = given;
  const odd = Object.keys(given).find((key) => key !== "max_file_bytes" && key !== "formats");
  if (odd !== undefined) {
    throw new TypeError(`Expected uploads to have only max_file_bytes, formats; got ${odd}`);
  }
  if (!Array.isArray(taken) || taken.length === 0 || !taken.every(isFormat)) {
    throw new TypeError(
      `Expected uploads.formats to be a list out of ${formats.join(", ")}, got ${JSON.stringify(taken)}`,
    );
  }
  return {
    max_file_bytes: toInteger("uploads.max_file_bytes", max_file_bytes, 1),
    formats: [...taken],
  };
}

function toFolder(name: string, folder: string): string {
  if (typeof folder !== "string" || folder.trim() === "" || folder.includes("\0")) {
    throw new TypeError(`Expected ${name} to be the path of a folder, got ${JSON.stringify(folder)}`);
  }
  return resolve(folder);
}

function toTag(tag: string | undefined): string | undefined {
  if (tag === undefined || /^[a-z][a-z0-9]{0,39}$/i.test(tag)) return tag;
  throw new TypeError(
    `Expected folder_tag to be a letter and up to 39 letters and digits, got ${JSON.stringify(tag)}`,
  );
}

function toInteger(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`Expected ${name} to be an integer of at least ${least}, got ${value}`);
}

/** What is longer than a timer can wait would be over at once. */
function toTimeout(name: string, value: number, otherwise: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value < 2 ** 31) return value;
  throw new TypeError(
    `Expected ${name} to be an integer from 1 to ${2 ** 31 - 1} (24 days)${otherwise}, got ${value}`,
  );
}

function toPeerKey([peer, key]: [string, string]): [string, string] {
  if (!/^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?$/i.test(peer)) {
    throw new TypeError(`Expected peer_keys to be listed by host or host:port, got "${peer}"`);
  }
  // The key itself stays out of the message: messages reach logs.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new TypeError(`Expected the key of peer "${peer}" to be printable ASCII without spaces`);
  }
  return [peer.toLowerCase(), key];
}
