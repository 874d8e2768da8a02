/** What people write today: express.json() and response.json(). */
import type { AddressInfo } from "node:net";
import express from "express";

const app = express();
app.post("/control/execute", express.json(), (request, response) => {
  response.json({ status: "complete", output: null, method: request.body.method });
});
const server = app.listen(0, "127.0.0.1", () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
