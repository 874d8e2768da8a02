import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { assertWanted } from "../read/failures.ts";
import { eachPiece, type StreamContent, whatIsWritten } from "./content.ts";
import { toDiskFailure } from "./disk-failure.ts";

/** How a file is written. */
interface WriteOptions {
  /** Exists already. */
  folder: string;
  /** Sees all bytes in their order. */
  watch?: ((bytes: Uint8Array) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A file on disk, synced, that has all its bytes and no name yet. It is named or dropped. */
export interface UnnamedFile {
  /** Where it is until then. */
  readonly temporary: string;
  /**
   * Moves it to its name, over whatever has it; on failure it is dropped.
   * @param folder exists already, on the same file system
   * @param name checked already
   * @returns the file's path
   */
  giveName(folder: string, name: string): Promise<string>;
  /** Removes it. */
  drop(): Promise<void>;
}

const batchSize = 128 * 1024;
/** Of a stream, as much is gathered while earlier bytes are written. */
const streamed = 512 * 1024;
/** So much is written between two requests to bring it to the disk, so that the last one finds little to do. */
const syncedEvery = 32 * 1024 * 1024;

/**
 * Writes a file whole or not at all: into a temporary file beside it, synced, then renamed over
 * whatever had the name. On failure and abort the temporary file is removed.
 *
 * @returns the file's path
 * @throws the source's own error, or ControlError `storage_full`, `internal` when the disk refuses
 * otherwise, or `aborted`
 */
export async function writeFileAtomically(
  content: StreamContent,
  { name, ...options }: WriteOptions & { /** Checked already. */ name: string },
): Promise<string> {
  const file = await writeUnnamed(content, { ...options, shown: join(options.folder, name) });
  return file.giveName(options.folder, name);
}

/**
 * The first half of {@link writeFileAtomically}, for what is named only when more is known.
 *
 * @param options.shown what messages call it
 */
export async function writeUnnamed(
  content: StreamContent,
  { folder, shown, watch, signal }: WriteOptions & { shown: string },
): Promise<UnnamedFile> {
  const temporary = join(folder, `.${randomUUID()}.part`);
  const drop = () => rm(temporary, { force: true });
  const handle = await onDisk(shown, () => open(temporary, "wx"));
  const close = () => onDisk(shown, () => handle.close());
  await orCleanUp(async () => {
    await orCleanUp(async () => {
      if (isByteStream(content)) await streamTo(handle, shown, content, { watch, signal });
      else {
        const writer = createWriter(handle, shown, watch);
        await eachPiece(content, signal, writer.write);
        await writer.flush();
      }
      await onDisk(shown, () => handle.sync());
    }, close);
    await close();
  }, drop);
  return {
    temporary,
    drop,
    async giveName(to, name) {
      const path = join(to, name);
      await orCleanUp(() => onDisk(path, () => rename(temporary, path)), drop);
      await onDisk(path, () => syncFolder(to));
      return path;
    },
  };
}

/** Cleans up after what failed. Whatever the disk says meanwhile is second to that, and does not take its place. */
async function orCleanUp(work: () => Promise<void>, cleanUp: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await cleanUp().catch(() => {});
    throw error;
  }
}

/** Pieces of a stream of bytes are its reader's own: they need not be copied, and gather while others are written. */
function isByteStream(content: StreamContent): content is Readable {
  return content instanceof Readable && !content.readableObjectMode && content.readableEncoding === null;
}

async function streamTo(
  handle: FileHandle,
  path: string,
  content: Readable,
  { watch, signal }: Pick<WriteOptions, "watch" | "signal">,
): Promise<void> {
  const synced = createEarlySync(handle);
  const toDisk = (pieces: Buffer[], done: (error?: Error | null) => void) => {
    if (watch !== undefined) for (const piece of pieces) watch(piece);
    onDisk(path, async () => synced.wrote(await writeAll(handle, pieces))).then(() => done(), done);
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
  const ended = () => onDisk(path, synced.ended);
  await orCleanUp(
    () =>
      pipeline(content, file, { signal }).catch((error: unknown) => {
        assertWanted(whatIsWritten, signal);
        throw error;
      }),
    ended,
  );
  await ended();
}

/** Has the disk take a file while more of it comes. */
function createEarlySync(handle: FileHandle) {
  let unsynced = 0;
  let running: Promise<void> | undefined;
  let failure: unknown;

  async function sync() {
    // A disk says only once that it lost something.
    await handle.datasync().catch((error: unknown) => {
      failure ??= error;
    });
    running = undefined;
  }

  return {
    /** @throws what the disk said of earlier bytes */
    wrote(size: number) {
      if (failure !== undefined) throw failure;
      unsynced += size;
      if (unsynced < syncedEvery || running !== undefined) return;
      unsynced = 0;
      running = sync();
    },
    /** Resolves when nothing is asked of the file any more. @throws as `wrote` */
    async ended() {
      await running;
      if (failure !== undefined) throw failure;
    },
  };
}

/** @returns how many bytes they are */
async function writeAll(handle: FileHandle, pieces: Buffer[]): Promise<number> {
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev(pieces);
  // Short only where the disk refuses the rest, which the next attempt says.
  if (bytesWritten < size) await handle.writeFile(Buffer.concat(pieces).subarray(bytesWritten));
  return size;
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
    throw toDiskFailure(`write ${path}`, error, why);
  }
}
