import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import type { Answer, Call, Hooks } from "./pristine.ts";

/** Changes answers to calls of one kind, by their parsed body; undefined leaves an answer as it is. */
export function answerFault(
  fired: () => void,
  path: RegExp,
  change: (body: Record<string, unknown>, answer: Answer, call: Call) => Partial<Answer> | undefined,
): Hooks {
  return {
    async call(call, next) {
      const answer = await next();
      if (!path.test(call.path)) return answer;
      const changed = change({ ...(answer.body as object) }, answer, call);
      if (changed === undefined) return answer;
      fired();
      return { ...answer, ...changed };
    },
  };
}

/** Answers to execute that end a task. */
export const onExecute = /^\/control\/execute$/;
export const onStatus = /^\/control\/status\//;
export const onOutput = /^\/control\/output\//;
export const onData = /^\/control\/data\//;

/** Answers calls to execute, by the text and the parsed body of the request; undefined lets a call through. */
export function executeFault(
  fired: () => void,
  answer: (text: string, call: Call, body: Record<string, unknown>) => Answer | undefined,
): Hooks {
  return {
    async call(call, next) {
      if (call.method !== "POST" || !onExecute.test(call.path)) return next();
      const text = call.body.toString();
      const changed = answer(text, call, parsed(text));
      if (changed === undefined) return next();
      fired();
      return changed;
    },
  };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
  } catch {
    // Faults that look at members leave it to the service.
    return {};
  }
}

/** A service that can die: `die` cuts all connections, and nobody listens from then on. */
export function dieOf(fired: () => void): Required<Pick<Hooks, "server">> & { die(): Promise<Answer> } {
  let kill = () => {};
  return {
    server(server) {
      kill = () => {
        server.close();
        server.closeAllConnections();
      };
    },
    async die() {
      fired();
      kill();
      return { status: 200 };
    },
  };
}

/** Takes requests before the service reads them; `own` goes on as usual. */
export function requestFault(
  listen: (own: RequestListener) => RequestListener,
): Required<Pick<Hooks, "server">> {
  return {
    server(server) {
      const own = server.listeners("request") as RequestListener[];
      server.removeAllListeners("request");
      server.on(
        "request",
        listen((request, response) => own.forEach((one) => void one(request, response))),
      );
    },
  };
}

/** Sees the first bytes of every connection before HTTP does, and gives back what HTTP is to see. */
export function bytesFault(
  change: (bytes: Buffer, socket: Socket) => Buffer | Promise<Buffer>,
): Required<Pick<Hooks, "server">> {
  return {
    server(server) {
      const own = server.listeners("connection");
      server.removeAllListeners("connection");
      server.on("connection", (socket: Socket) => {
        const early = () => {};
        socket.on("error", early);
        socket.once("data", async (bytes) => {
          socket.pause();
          const seen = await change(bytes, socket);
          if (socket.destroyed) return;
          socket.unshift(seen);
          for (const listen of own) listen.call(server, socket);
          process.nextTick(() => socket.resume());
        });
      });
    },
  };
}
