/** The least that a grpc-js server can do: one message, and a stream of the file that the request names. */
import { createReadStream } from "node:fs";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { BenchService, pieceBytes } from "../grpc-messages.ts";

const message = Buffer.alloc(1000, 7);
const server = new Server();
server.addService(BenchService, {
  make(_call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
    callback(null, message);
  },
  stream(call: ServerWritableStream<Buffer, Buffer>) {
    const file = createReadStream(call.request.toString(), { highWaterMark: pieceBytes });
    file.pipe(call as unknown as NodeJS.WritableStream);
  },
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (_error, port) =>
  process.send?.(`127.0.0.1:${port}`),
);
