import type { FolderNotes, NotedFolder } from "../task-store.ts";
import type { RedisConnection } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import type { Lease } from "./lease.ts";

/** What notes of folders need of the store around them. */
interface FolderNotesParts {
  connection: RedisConnection;
  keys: RedisKeys;
  /** This replica. */
  replica: string;
  lease: Pick<Lease, "isDead">;
}

/** A note as it stands in Redis. */
interface Note extends Omit<NotedFolder, "folder"> {
  replica: string;
}

/** Keeps notes of folders in Redis, each as long as its replica, or another one, has to do with it. */
export function createFolderNotes({ connection, keys, replica, lease }: FolderNotesParts): FolderNotes {
  const { send } = connection;
  /** This replica's, as they were written. */
  const own = new Map<string, string>();

  return {
    async note({ folder, handle, mark }) {
      const note = JSON.stringify({ replica, handle, mark } satisfies Note);
      await send((redis) => redis.hset(keys.folders, folder, note));
      own.set(folder, note);
    },
    async forget(folder) {
      const note = own.get(folder);
      if (note === undefined) return false;
      let attempts = 0;
      const done = await send((redis, attempt) => {
        attempts = attempt;
        return redis.taskFolderForget(1, keys.folders, folder, note);
      });
      own.delete(folder);
      // Gone after a reply that was lost means that it was this one.
      return done === 1 || attempts > 1;
    },
    async takeOver() {
      const taken: NotedFolder[] = [];
      for (const [folder, text] of Object.entries(await send((redis) => redis.hgetall(keys.folders)))) {
        const { handle, mark, ...note } = JSON.parse(text) as Note;
        if (own.has(folder) || !(await lease.isDead(note.replica))) continue;
        const mine = JSON.stringify({ replica, handle, mark } satisfies Note);
        if ((await send((redis) => redis.taskFolderTake(1, keys.folders, folder, text, mine))) !== 1)
          continue;
        own.set(folder, mine);
        taken.push({ folder, handle, mark });
      }
      return taken;
    },
  };
}
