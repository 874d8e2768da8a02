/** The least a server can do for the same payload: pipe the file that the URL names. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((request, response) => {
  createReadStream(decodeURIComponent(request.url ?? "")).pipe(response);
});
server.listen(0, "127.0.0.1", () =>
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
