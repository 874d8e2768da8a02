import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ControlError } from "@aieffect/control-interface";
import { assertWanted } from "../read/failures.ts";
import { eachPiece, type StreamContent, whatIsWritten } from "./content.ts";

/** What an atomic write needs to know. */
export interface WriteOptions {
  /** Exists already. */
  folder: string;
  /** Checked already. */
  name: string;
  /** Sees all bytes in their order. */
  watch?: (bytes: Uint8Array) => void;
  signal?: AbortSignal | undefined;
}

const batchSize = 128 * 1024;
/** Of a stream, as much is gathered while earlier bytes are written. */
const streamed = 512 * 1024;

/**
 * Writes a file whole or not at all: into a temporary file beside it, synced, then renamed over
 * whatever had the name. On failure and abort the temporary file is removed.
 *
 * @returns the file's path
 * @throws the source's own error, or ControlError `internal` when the disk refuses, or `aborted`
 */
export async function writeFileAtomically(content: StreamContent, options: WriteOptions): Promise<string> {
  const { folder, name, watch, signal } = options;
  const path = join(folder, name);
  const temporary = join(folder, `.${randomUUID()}.part`);
  const handle = await onDisk(path, () => open(temporary, "wx"));
  try {
    try {
      if (isByteStream(content)) await streamTo(handle, path, content, options);
      else {
        const writer = createWriter(handle, path, watch);
        await eachPiece(content, signal, writer.write);
        await writer.flush();
      }
      await onDisk(path, () => handle.sync());
    } finally {
      await handle.close();
    }
    await onDisk(path, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await onDisk(path, () => syncFolder(folder));
  return path;
}

/** Pieces of a stream of bytes are its reader's own: they need not be copied, and gather while others are written. */
function isByteStream(content: StreamContent): content is Readable {
  return content instanceof Readable && !content.readableObjectMode && content.readableEncoding === null;
}

async function streamTo(
  handle: FileHandle,
  path: string,
  content: Readable,
  { watch, signal }: WriteOptions,
): Promise<void> {
  const toDisk = (pieces: Buffer[], done: (error?: Error | null) => void) => {
    if (watch !== undefined) for (const piece of pieces) watch(piece);
    onDisk(path, () => writeAll(handle, pieces)).then(() => done(), done);
  };
  const file = new Writable({
    highWaterMark: streamed,
    write: (piece: Buffer, _encoding, done) => toDisk([piece], done),
    writev: (pieces, done) =>
      toDisk(
        pieces.map(({ chunk }) => chunk as Buffer),
        done,
      ),
  });
  await pipeline(content, file, { signal }).catch((error: unknown) => {
    assertWanted(whatIsWritten, signal);
    throw error;
  });
}

async function writeAll(handle: FileHandle, pieces: Buffer[]): Promise<void> {
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev(pieces);
  // Short only where the disk refuses the rest, which the next attempt says.
  if (bytesWritten < size) await handle.writeFile(Buffer.concat(pieces).subarray(bytesWritten));
}

/** Gathers short pieces; a piece is copied or written before the next one is asked for, so that its bytes may be reused. */
function createWriter(handle: FileHandle, path: string, watch: WriteOptions["watch"]) {
  const batch = Buffer.allocUnsafe(batchSize);
  let used = 0;

  async function toDisk(bytes: Uint8Array): Promise<void> {
    watch?.(bytes);
    await onDisk(path, () => handle.writeFile(bytes));
  }

  async function flush(): Promise<void> {
    const bytes = batch.subarray(0, used);
    used = 0;
    if (bytes.length > 0) await toDisk(bytes);
  }

  async function writeAfterFlush(bytes: Uint8Array): Promise<void> {
    await flush();
    if (bytes.length >= batchSize) return toDisk(bytes);
    batch.set(bytes);
    used = bytes.length;
  }

  return {
    flush,
    /** Gives a promise only if there is something to wait for. */
    write(bytes: Uint8Array): Promise<void> | undefined {
      if (bytes.length > batchSize - used) return writeAfterFlush(bytes);
      batch.set(bytes, used);
      used += bytes.length;
      return undefined;
    },
  };
}

/** A new name is kept over a power cut only when its folder is synced too. Windows cannot open folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const hints: Record<string, string> = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the quota is used up; free some space",
  EFBIG: "the file is larger than this process may write",
  EROFS: "the file system is read-only; choose another data_dir",
  EACCES: "this process may not write there; check the folder's owner and mode",
  ENOENT: "its folder does not exist; create the task's folder first",
  ENOTDIR: "its folder is not a folder",
  EISDIR: "a folder has that name; choose another name",
};

/** Tells the disk's errors from those of the source. */
async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const why = hints[code] === undefined ? message : `${hints[code]} (${code})`;
    throw new ControlError("internal", `Could not write ${path}: ${why}`, { cause: error });
  }
}
