import type { MethodDefinition } from "@grpc/grpc-js";

const itself = (bytes: Buffer): Buffer => bytes;

function rpc(path: string, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: itself,
    requestDeserialize: itself,
    responseSerialize: itself,
    responseDeserialize: itself,
  };
}

/** Messages as the bytes that they are: encoding costs all ways the same. */
export const BenchService = {
  make: rpc("/bench.Bench/Make", false),
  /** Of the bare server alone. */
  stream: rpc("/bench.Bench/Stream", true),
};

/** Bytes in a message of a stream; as in a chunk of the plane. */
export const pieceBytes = 256 * 1024;
