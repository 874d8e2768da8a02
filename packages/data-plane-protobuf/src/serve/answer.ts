import { once } from "node:events";
import type { PlaneHost } from "@aieffect/service-kit";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type ServerErrorResponse,
  status,
} from "@grpc/grpc-js";
import { fullName } from "../reference/rpc.ts";
import { isRefusal, type Refusal, refusal } from "../refusal.ts";

/** A call, as far as answering needs it. */
interface Call<Request> {
  request: Request;
  metadata: Metadata;
  cancelled: boolean;
  getPeer(): string;
}

/** Notes whose result a call asks for, once that is known; for the log. */
export type NoteTask = (ids: { workflow_id: string; task_id: string } | undefined) => void;

/** What answering needs of the server around it. */
export interface AnswerParts {
  host: PlaneHost;
  options: { send_idle_timeout_ms: number };
  /** Told when a call begins and when it ends. */
  going: { add(): void; remove(): void };
}

/** Answers with one message; whatever goes wrong becomes a status. */
export function answerOnce<Request, Response>(
  path: string,
  parts: AnswerParts,
  work: (call: Call<Request>, note: NoteTask) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void observe(path, parts, call, (note) => work(call, note)).then(
      (response) => callback(null, response),
      (failure: Refusal) => callback(toStatus(failure)),
    );
  };
}

/** Answers with messages, no faster than they are taken; whatever goes wrong becomes a status. */
export function answerWithStream<Request, Response>(
  path: string,
  parts: AnswerParts,
  work: (call: Call<Request>, note: NoteTask) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const gone = new AbortController();
    call.on("cancelled", () => gone.abort());
    call.on("error", () => gone.abort());
    const send = async (note: NoteTask) => {
      for await (const message of work(call, note)) {
        if (gone.signal.aborted) throw wentAway();
        if (call.write(message)) continue;
        await drained(call, gone.signal, parts.options.send_idle_timeout_ms);
      }
    };
    void observe(path, parts, call, send).then(
      () => call.end(),
      (failure: Refusal) => {
        if (!gone.signal.aborted) call.emit("error", toStatus(failure));
      },
    );
  };
}

/** Traces and logs one call; rejects with nothing but refusals. */
async function observe<Response>(
  path: string,
  { host, going }: AnswerParts,
  call: Call<unknown>,
  work: (note: NoteTask) => Promise<Response>,
): Promise<Response> {
  going.add();
  const began = performance.now();
  const rpc = fullName(path);
  const trace = host.readTrace({
    traceparent: call.metadata.get("traceparent")[0]?.toString(),
    tracestate: call.metadata.get("tracestate")[0]?.toString(),
  });
  const span = host.startSpan(rpc, "server", trace);
  let ids: Parameters<NoteTask>[0];
  let failure: Refusal | undefined;
  try {
    return await work((noted) => {
      ids = noted;
    });
  } catch (thrown) {
    failure = toRefusal(thrown, rpc, host);
    throw failure;
  } finally {
    going.remove();
    const code = status[failure?.code ?? status.OK];
    span?.set({ "rpc.system": "grpc", "rpc.method": rpc, "rpc.grpc.status": code });
    span?.end(failure?.code === status.INTERNAL ? failure : undefined);
    if (host.log.isLevelEnabled("debug")) {
      const line = { rpc, ...ids, status: code, duration_ms: Math.round(performance.now() - began) };
      const trace_id = (span ?? trace)?.traceparent.slice(3, 35);
      const told = failure === undefined ? {} : { reason: failure.details };
      host.log.debug({ ...line, ...told, peer: call.getPeer(), ...(trace_id && { trace_id }) }, "grpc call");
    }
  }
}

/** Resolves when a stream takes more. @throws refusal when its caller went away, or stands still */
async function drained(stream: NodeJS.EventEmitter, gone: AbortSignal, idle_ms: number): Promise<void> {
  const late = AbortSignal.timeout(idle_ms);
  try {
    await once(stream, "drain", { signal: AbortSignal.any([gone, late]) });
  } catch {
    if (gone.aborted || !late.aborted) throw wentAway();
    throw refusal(status.DEADLINE_EXCEEDED, `The caller took nothing for ${idle_ms} ms`);
  }
}

function toRefusal(thrown: unknown, rpc: string, { log }: PlaneHost): Refusal {
  if (isRefusal(thrown)) return thrown;
  log.error({ err: thrown, rpc }, "a gRPC call could not be answered");
  return refusal(status.INTERNAL, "Internal error; the service's log has the details");
}

function wentAway(): Refusal {
  return refusal(status.CANCELLED, "The caller went away");
}

function toStatus({ code, details }: Refusal): ServerErrorResponse {
  return Object.assign(new Error(details), { code, details });
}
