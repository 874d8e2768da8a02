import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { PlaneHost } from "@aieffect/service-kit";
import { status } from "@grpc/grpc-js";
import type { ResultIds } from "../reference/grpc-reference.ts";
import { fullName } from "../reference/rpc.ts";
import { refusal, shown } from "../refusal.ts";
import { measureMessages } from "./result-file.ts";
import type { Result, ResultIndex } from "./result-index.ts";

/** A task, as the service knows it. */
type Task = NonNullable<Awaited<ReturnType<PlaneHost["find"]>>>;

/** The name of a result's file in its task's folder. */
export function fileNameOf(path: string): string {
  return `${fullName(path).replace("/", ".")}.pb`;
}

/**
 * The result that a caller means (R-GRPC-02, R-GRPC-03).
 *
 * @param ids undefined: the newest one of the RPC
 * @throws refusal NOT_FOUND or FAILED_PRECONDITION, saying why there is none
 */
export async function findResult(
  path: string,
  ids: ResultIds | undefined,
  index: ResultIndex,
  find: PlaneHost["find"],
): Promise<Result> {
  return ids === undefined ? findNewest(path, index, find) : findOfTask(path, ids, index, find);
}

async function findNewest(path: string, index: ResultIndex, find: PlaneHost["find"]): Promise<Result> {
  for (const result of index.newest(path)) {
    const task = await find(result.workflow_id, result.handle);
    if (task === undefined || task.status === "failed") index.forget(result.handle, task !== undefined);
    else if (task.status === "complete") return result;
  }
  const why = index.hasForgotten(path)
    ? `No result of ${fullName(path)} is kept any longer; run a task again`
    : `Nothing has been published under ${fullName(path)}; run a task first`;
  throw refusal(status.NOT_FOUND, why);
}

async function findOfTask(
  path: string,
  ids: ResultIds,
  index: ResultIndex,
  find: PlaneHost["find"],
): Promise<Result> {
  const named = `task ${shown(ids.task_id)} of workflow ${shown(ids.workflow_id)}`;
  const task = (await find(ids.workflow_id, ids.task_id)) ?? (await findHidden(path, ids, index, find));
  if (task === undefined) {
    const why = index.wasForgotten(ids)
      ? `The result of ${named} is no longer kept; run the task again`
      : `Nothing is known of ${named}; check both ids`;
    throw refusal(status.NOT_FOUND, why);
  }
  if (task.status === "running") {
    throw refusal(status.FAILED_PRECONDITION, `${capital(named)} is still running; ask when it is complete`);
  }
  // Why is told to those who may ask for its status.
  if (task.status === "failed")
    throw refusal(status.NOT_FOUND, `${capital(named)} has failed; it has no result`);
  const result = index.ofExecution(path, task.handle) ?? (await findOnDisk(path, task));
  if (result === undefined) {
    throw refusal(
      status.NOT_FOUND,
      `${capital(named)} has no result under ${fullName(path)} that is kept here`,
    );
  }
  if (index.ofExecution(path, task.handle) === undefined) index.add(result, true);
  return result;
}

/** Under a raw task_id the service finds the newest task, which may be another workflow's. */
async function findHidden(
  path: string,
  ids: ResultIds,
  index: ResultIndex,
  find: PlaneHost["find"],
): Promise<Task | undefined> {
  for (const { workflow_id, handle } of index.ofTask(path, ids)) {
    const task = await find(workflow_id, handle);
    if (task !== undefined) return task;
    index.forget(handle);
  }
  return undefined;
}

/** What an earlier life of the service published, where its store still knows the task. */
async function findOnDisk(path: string, task: Task): Promise<Result | undefined> {
  const { workflow_id, task_id, handle, folder } = task;
  if (folder === undefined) return undefined;
  const file = join(folder, fileNameOf(path));
  const size_bytes = await stat(file).then(
    ({ size }) => size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
  if (size_bytes === undefined) return undefined;
  const message_bytes = await measureMessages(file);
  return { workflow_id, task_id, handle, path, file, size_bytes, message_bytes };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
