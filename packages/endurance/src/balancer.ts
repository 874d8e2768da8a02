import { Agent, createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** What stands before replicas. */
export interface Balancer {
  url: string;
  /** Where it sends calls to, in turn. */
  readonly replicas: string[];
  /** How many calls each replica has answered. */
  readonly answered: ReadonlyMap<string, number>;
  /** How often nobody listened at the one whose turn it was, and the next one got the call. */
  passedOn(): number;
  /** How many calls were cut while a replica had them. */
  cut(): number;
}

/**
 * Balances as load balancers do: each call to the next replica, on to another one where nobody
 * listens, and 502 where the connection broke when the call was already under way.
 */
export async function startBalancer(): Promise<Balancer> {
  const replicas: string[] = [];
  const answered = new Map<string, number>();
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  let passedOn = 0;
  let cut = 0;

  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const first = turn++;
    const giveUp = (status: number) => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(status).end();
    };
    const forward = (attempt: number) => {
      const to = replicas[(first + attempt) % replicas.length];
      if (to === undefined || attempt >= replicas.length) return giveUp(503);
      const { method, headers } = incoming;
      const call = send(new URL(incoming.url ?? "/", to), { method, headers, agent });
      call.on("response", (response) => {
        answered.set(to, (answered.get(to) ?? 0) + 1);
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.on("error", () => giveUp(502)).pipe(outgoing);
      });
      call.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") {
          passedOn++;
          return forward(attempt + 1);
        }
        cut++;
        giveUp(502);
      });
      call.end(body);
    };
    forward(0);
  });
  // Longer than any pause between two polls.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replicas,
    answered,
    passedOn: () => passedOn,
    cut: () => cut,
  };
}
