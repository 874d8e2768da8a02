import type { Execution } from "../../tasks/execution.ts";
import { markOf } from "../folder-mark.ts";
import { type FolderNotes, neverDroppedWithin_ms, type Retention } from "../task-store.ts";
import type { RedisConnection } from "./connection.ts";
import type { Current } from "./current.ts";
import type { RedisKeys } from "./keys.ts";

/** An ended execution, as far as retention asks. */
interface Ended {
  handle: string;
  /** Epoch ms. */
  ended_at: number;
  /** What its state takes. */
  bytes: number;
  /** What its files take. */
  folder_bytes: number;
  /** As which it is listed. */
  member: string;
}

/** What every execution takes, about; dropping such small ones would not help against bytes. */
const smallBytes = 1024;
/** How many entries of the list are read at once, and how many executions dropped. */
const listAtOnce = 5000;
const dropAtOnce = 50;

/** What an ended execution is listed with beside its handle. */
export function sizesOf(json: string, { folder_bytes }: Execution): string {
  return `${Buffer.byteLength(json)} ${folder_bytes}`;
}

/** Drops what retention allows; of replicas that do so at once, exactly one is given each execution. */
export async function dropEnded(
  { send }: RedisConnection,
  keys: RedisKeys,
  read: (handle: string) => Promise<Current | undefined>,
  retention: Required<Retention>,
  folders: FolderNotes,
  now: number,
): Promise<Execution[]> {
  const dropped: Execution[] = [];
  const chosen = choose(await list(), retention, now);
  for (let at = 0; at < chosen.length; at += dropAtOnce) {
    const results = await Promise.all(chosen.slice(at, at + dropAtOnce).map(drop));
    dropped.push(...results.filter((execution) => execution !== undefined));
  }
  return dropped;

  async function list(): Promise<Ended[]> {
    const entries: Ended[] = [];
    for (let from = 0; ; from += listAtOnce) {
      const to = from + listAtOnce - 1;
      const flat = await send((redis) => redis.zrange(keys.ended, from, String(to), "WITHSCORES"));
      for (let at = 0; at < flat.length; at += 2) {
        entries.push(toEnded(flat[at] as string, flat[at + 1] as string));
      }
      if (flat.length < 2 * listAtOnce) return entries;
    }
  }

  async function drop({ handle, member }: Ended): Promise<Execution | undefined> {
    const current = await read(handle);
    const { workflow_id = "", task_id = "", idempotency_keys = [] } = current?.execution ?? {};
    const names = [
      keys.execution(handle),
      keys.ended,
      keys.rawId(task_id),
      ...idempotency_keys.map((key) => keys.idempotencyKey(workflow_id, task_id, key)),
    ];
    const folder = await noteFolder(current?.execution);
    let attempts = 0;
    const done = await send((redis, attempt) => {
      attempts = attempt;
      return redis.taskDrop(names.length, ...names, current?.version ?? "", member, handle);
    });
    // Gone after a reply that was lost means that it was this one.
    if (done === 1 || (done === -1 && attempts > 1)) return current?.execution;
    if (folder !== undefined) await folders.forget(folder);
    return undefined;
  }

  /** Nobody would ever remove it when this process dies before that is done. */
  async function noteFolder(execution: Execution | undefined): Promise<string | undefined> {
    if (execution?.folder === undefined) return undefined;
    const { folder, handle } = execution;
    const mark = markOf(folder);
    if (mark === undefined) return undefined;
    // A full Redis must not keep what takes its room.
    return folders.note({ folder, handle, mark }).then(
      () => folder,
      () => undefined,
    );
  }
}

/** `<serial> <bytes> <folder_bytes> <handle>`, as the script writes it. */
function toEnded(member: string, score: string): Ended {
  const [, bytes, folder_bytes, handle = ""] = member.split(" ");
  return {
    handle,
    ended_at: Number(score),
    bytes: Number(bytes),
    folder_bytes: Number(folder_bytes),
    member,
  };
}

/** What may and has to go of all that has ended, given oldest first (R-RUN-09). */
function choose(
  entries: readonly Ended[],
  { max_age_s, max_tasks, max_bytes, max_payload_bytes }: Required<Retention>,
  now: number,
): Ended[] {
  let tasks = entries.length;
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  let payloads = entries.reduce((sum, entry) => sum + entry.folder_bytes, 0);
  return entries.filter((entry) => {
    const age_ms = now - entry.ended_at;
    if (age_ms < neverDroppedWithin_ms) return false;
    const tooOld = age_ms > max_age_s * 1000;
    const tooLarge = bytes > max_bytes && entry.bytes > smallBytes;
    const tooMuchOnDisk = payloads > max_payload_bytes && entry.folder_bytes > 0;
    if (!tooOld && !tooLarge && !tooMuchOnDisk && tasks <= max_tasks) return false;
    tasks--;
    bytes -= entry.bytes;
    payloads -= entry.folder_bytes;
    return true;
  });
}
