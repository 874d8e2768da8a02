import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Exchange, ReceivedReply } from "../../wire/exchange.ts";
import type { CallOptions } from "../../wire/send.ts";
import { runAlone } from "../alone.ts";

/** One that the token is asked for, and that tells by its status whether it was let in. */
export interface Guarded {
  call: CallOptions;
  /** What it is answered with the token, and without. */
  open: ReceivedReply;
  closed: ReceivedReply;
}

/** The service's token; cases that need it have it. */
export function tokenOf(t: CaseContext): string {
  return t.token ?? t.untestable("give the service's key: --token env:SERVICE_API_KEY");
}

/** It says that the caller is not let in. */
export function isShut({ status }: ReceivedReply): boolean {
  return status === 401 || status === 403;
}

/** A call that is answered one way with the token and another without; none means that nothing is guarded. */
export async function guardedCall(t: CaseContext): Promise<Guarded> {
  tokenOf(t);
  const calls: CallOptions[] = [
    { path: `/control/status/${t.id("task")}` },
    { method: "POST", path: "/control/execute", body: unknownMethodOf(t) },
  ];
  for (const call of calls) {
    const [open, closed] = [(await t.send(call)).reply, (await t.send({ ...call, token: null })).reply];
    if (open !== undefined && closed !== undefined && isShut(closed) && !isShut(open)) {
      return { call, open, closed };
    }
    if (open !== undefined && isShut(open)) {
      t.untestable(`the service answers ${open.status} to the token that was given; check it`);
    }
  }
  return t.untestable("no call is refused without the token : see A01");
}

/** A request that does nothing, also where it is let in. */
export function unknownMethodOf(t: CaseContext): Record<string, unknown> {
  return { method: "NoSuchMethod", workflow_id: t.id("wf"), task_id: t.id("task"), inputs: [] };
}

/** The call with these values of Authorization instead of the right one. */
export function sendWith(
  t: CaseContext,
  { call }: Guarded,
  authorization: string | readonly string[],
): Promise<Exchange> {
  return t.send({ ...call, token: null, headers: { authorization } });
}

/** Whether a reply is one that only callers with the token get. */
export function isLetIn(reply: ReceivedReply, { open }: Guarded): boolean {
  return reply.status < 400 || reply.status === open.status;
}

/** What exists on the service, and by which ids it can be asked for. */
export interface RealTask {
  /** Of a task of the service, its handle and the id that was sent. */
  ids: string[];
  /** Of a payload that the service serves itself. */
  payload: { uri: string; task_id: string } | undefined;
}

/** A task that exists; undefined where there is no sample. */
export async function realTask(t: CaseContext): Promise<RealTask | undefined> {
  const samples = t.samples();
  const sample = samples.find(({ mode }) => mode === "concurrent") ?? samples[0];
  if (sample === undefined) return undefined;
  const run = await runAlone(t, sample);
  const handle = readAs(run.execute, "execute")?.task_id;
  const ids = handle ? [handle, run.task_id] : [run.task_id];
  for (const one of samples) {
    const { reference, task_id } = await runAlone(t, one);
    const uri = reference?.uri ?? "";
    if (/^https?:\/\/.+\/control\/data\//.test(uri)) return { ids, payload: { uri, task_id } };
  }
  return { ids, payload: undefined };
}
