import { Metadata, status } from "@grpc/grpc-js";
import { refusal } from "../refusal.ts";
import type { ResultIds } from "./grpc-reference.ts";

const names = { workflow_id: "aieffect-workflow-id", task_id: "aieffect-task-id" } as const;

/** What travels as it is: call metadata is printable ASCII, and loses spaces at its ends. */
const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** Says in a call's metadata which task's result is asked for; other texts as UTF-8 under `-bin` (R-GRPC-01). */
export function writeIds(ids: ResultIds, metadata: Metadata = new Metadata()): Metadata {
  for (const [field, name] of Object.entries(names) as [keyof ResultIds, string][]) {
    const id = ids[field];
    if (plain.test(id)) metadata.set(name, id);
    else metadata.set(`${name}-bin`, Buffer.from(id, "utf8"));
  }
  return metadata;
}

/**
 * The task that a call asks for; undefined where it does not say (R-GRPC-01).
 *
 * @throws refusal INVALID_ARGUMENT for one id without the other, or one of them twice
 */
export function readIds(metadata: Metadata): ResultIds | undefined {
  return pairIds(readId(metadata, names.workflow_id), readId(metadata, names.task_id), names);
}

/** Both or neither; an empty text counts as none. @throws refusal INVALID_ARGUMENT */
export function pairIds(
  workflow_id: string | undefined,
  task_id: string | undefined,
  called: { workflow_id: string; task_id: string },
): ResultIds | undefined {
  if (!workflow_id && !task_id) return undefined;
  if (workflow_id && task_id) return { workflow_id, task_id };
  const [has, misses] = workflow_id
    ? [called.workflow_id, called.task_id]
    : [called.task_id, called.workflow_id];
  throw refusal(
    status.INVALID_ARGUMENT,
    `Expected ${misses} beside ${has}, found none; send both, or neither for the newest result`,
  );
}

function readId(metadata: Metadata, name: string): string | undefined {
  const found = [...metadata.get(name), ...metadata.get(`${name}-bin`)];
  if (found.length > 1) {
    throw refusal(status.INVALID_ARGUMENT, `Expected ${name} once, found ${found.length} of them`);
  }
  return found[0] === undefined ? undefined : found[0].toString("utf8");
}
