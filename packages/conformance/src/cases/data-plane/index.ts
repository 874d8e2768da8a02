import { reference } from "./d01-reference.ts";
import { format } from "./d02-format.ts";
import { inlineBase64 } from "./d03-inline-base64.ts";
import { inlineParses } from "./d04-inline-parses.ts";
import { badInput } from "./d05-bad-input.ts";
import { httpOutput } from "./d06-http-output.ts";
import { httpInput } from "./d07-http-input.ts";
import { httpInputFaults } from "./d08-http-input-faults.ts";
import { fileIo } from "./d09-file-io.ts";
import { s3GrpcShape } from "./d10-s3-grpc-shape.ts";
import { sizeChecksum } from "./d11-size-checksum.ts";
import { cardinality } from "./d12-cardinality.ts";

export const dataPlaneCases = [
  reference,
  format,
  inlineBase64,
  inlineParses,
  badInput,
  httpOutput,
  httpInput,
  httpInputFaults,
  fileIo,
  s3GrpcShape,
  sizeChecksum,
  cardinality,
];
