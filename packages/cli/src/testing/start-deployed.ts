import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** What a fake service answers to a path: a status and a JSON body, or nothing for 404. */
type Answers = Readonly<Record<string, readonly [number, unknown]>>;

/** A service that has nothing of the additions, as the ones in the field; it keeps what it was asked. */
export async function startDeployed(answers: Answers) {
  const asked: { path: string; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const path = `${request.method} ${request.url}`;
    const body = await text(request);
    asked.push({ path, body: body === "" ? undefined : JSON.parse(body) });
    const known = Object.keys(answers).find((one) => path.startsWith(one));
    const [status, answer] = answers[known ?? ""] ?? [404, { detail: "Not Found" }];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
