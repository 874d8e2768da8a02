import { type Client, type Metadata, status } from "@grpc/grpc-js";
import { CallFailure, toFailure } from "./failures.ts";

/** One question to a peer. */
export interface Question {
  path: string;
  request: Buffer;
  metadata: Metadata;
  signal: AbortSignal | undefined;
}

const itself = (bytes: Buffer): Buffer => bytes;

/** Asks each address of a peer until one answers; with one message. @throws CallFailure, ControlError */
export async function askOnce(
  clients: readonly Client[],
  question: Question,
  patience_ms: number,
): Promise<Buffer> {
  const until = performance.now() + patience_ms;
  for (const [index, client] of clients.entries()) {
    try {
      return await askClient(client, question, Math.max(1, until - performance.now()));
    } catch (error) {
      if (index === clients.length - 1 || !isUnreached(error)) throw error;
    }
  }
  throw nowhere();
}

function askClient(client: Client, question: Question, patience_ms: number): Promise<Buffer> {
  const { path, request, metadata, signal } = question;
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + patience_ms;
    const call = client.makeUnaryRequest(
      path,
      itself,
      itself,
      request,
      metadata,
      { deadline },
      (error, message) => {
        signal?.removeEventListener("abort", cancel);
        if (error === null && message !== undefined) resolve(message);
        else reject(toFailure(error, undefined));
      },
    );
    const cancel = () => call.cancel();
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel);
  });
}

/**
 * Asks each address of a peer until one answers; with messages, no faster than they are taken. It ends
 * when nothing comes for as long as `left_ms` says, counted only while the reader waits.
 *
 * @throws CallFailure, ControlError
 */
export async function* askForStream(
  clients: readonly Client[],
  question: Question,
  left_ms: () => number,
): AsyncGenerator<Buffer, void, undefined> {
  for (const [index, client] of clients.entries()) {
    let came = false;
    try {
      for await (const message of streamFrom(client, question, left_ms)) {
        came = true;
        yield message;
      }
      return;
    } catch (error) {
      if (came || index === clients.length - 1 || !isUnreached(error)) throw error;
    }
  }
  throw nowhere();
}

async function* streamFrom(
  client: Client,
  { path, request, metadata, signal }: Question,
  left_ms: () => number,
): AsyncGenerator<Buffer, void, undefined> {
  const call = client.makeServerStreamRequest(path, itself, itself, request, metadata);
  let silent_ms: number | undefined;
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel);
  const messages = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const wait_ms = left_ms();
      const watch = setTimeout(() => {
        silent_ms = Math.round(wait_ms);
        call.cancel();
      }, wait_ms);
      const next = await messages.next().finally(() => clearTimeout(watch));
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw toFailure(error, silent_ms);
  } finally {
    signal?.removeEventListener("abort", cancel);
    // Whoever stops reading wants no more of it.
    call.cancel();
  }
}

/** Nothing of the question has been seen by anybody. */
function isUnreached(error: unknown): boolean {
  return error instanceof CallFailure && error.code === status[status.UNAVAILABLE];
}

function nowhere(): CallFailure {
  return new CallFailure("ENOTFOUND", "the host has no address", true, undefined);
}
