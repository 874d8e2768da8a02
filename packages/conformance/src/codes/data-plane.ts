/** Codes about references and payloads. */
export const dataPlaneCodes = {
  E_PROTOCOL_WORD: {
    means: "The reference's `protocol` is none of the nine words.",
    fix: "Use one of inline, file, http, https, s3, nfs, mqtt, grpc, villas, in lower case.",
  },
  E_URI_PREFIX: {
    means: "The reference's uri does not agree with its protocol.",
    fix: "Begin it with the protocol that the reference names: http:// for http, https:// for https, s3:// for s3; a relative path is no uri.",
  },
  E_FORMAT: {
    means: "The reference's `format` is none of the six words.",
    fix: "Use one of json, csv, parquet, protobuf, binary, xml, in lower case; no media type and no file ending.",
  },
  E_BASE64: {
    means: "The uri of an inline reference is no base64 as the deployed orchestrator reads it.",
    fix: "Encode the bytes with the standard alphabet, with padding and without line breaks: base64.b64encode(data).decode(), Buffer.from(data).toString('base64').",
  },
  E_PAYLOAD_FORMAT: {
    means: "A payload does not parse as the format that its reference names.",
    fix: "Write the payload in the format that you name, or name the one that you write.",
  },
  E_BAD_INPUT_ACCEPTED: {
    means: "A task completed although its input cannot be read.",
    fix: "Check every input before use: answer 422, or `failed` with an error that says what is wrong with it.",
  },
  E_DATA_UNREADABLE: {
    means: "A payload cannot be read where its reference says it is.",
    fix: "Serve the payload under the uri of the reference from the moment the task is complete.",
  },
  E_DATA_CHANGED: {
    means: "A payload is not the same every time it is read.",
    fix: "Keep every result under a uri of its own, unchanged and as often as it is asked for.",
  },
  E_RANGE: {
    means: "A request for a part of a payload is answered with other bytes than asked for.",
    fix: "Answer Range with 206, Content-Range and exactly these bytes, or ignore it and answer 200 with the whole.",
  },
  E_URI_SHARED: {
    means: "Two executions name the same place for their results.",
    fix: "Put something of the execution's own into every path and URL that results are kept under.",
  },
  E_INPUT_REFUSED: {
    means: "An input that the service is said to take could not be used.",
    fix: "Look into the error; the input is at a plain URL, its media type agrees with its format.",
  },
  E_INPUT_NOT_FETCHED: {
    means: "A task completed without the input that its uri points to.",
    fix: "Fetch the uri of every input before working with it.",
  },
  E_INPUT_URL_CHANGED: {
    means: "An input was asked for under another URL than the reference has.",
    fix: "Hand the uri to the HTTP client as it is: no decoding, no encoding, and the query stays.",
  },
  E_INPUT_IGNORED: {
    means: "An input was fetched, and what it says has no influence.",
    fix: "Work with the bytes that were fetched.",
  },
  E_FILE_MISSING: {
    means: "The file that an output names is not on the shared storage.",
    fix: "Write the file before the task is complete, to the storage that services share, and answer its path there.",
  },
  E_FILE_OUTSIDE: {
    means: "A path with `..` leads out of the shared storage.",
    fix: "Resolve the path, and refuse it where it does not begin with the folder of the shared storage.",
  },
  E_S3_ADDRESS: {
    means: "An s3 reference does not name a bucket and a key.",
    fix: "Answer s3://bucket/key.",
  },
  E_GRPC_ADDRESS: {
    means: "The uri of a grpc reference is not host:port.",
    fix: "Answer the host and the port under which peers reach the gRPC server, without a scheme.",
  },
  E_GRPC_METHOD: {
    means: "The format of a grpc reference does not name the method to call.",
    fix: "Put the name of the RPC into `format`; the next service calls it with an empty request.",
  },
  E_NOT_CONNECTABLE: {
    means: "Nothing listens where a reference says the payload is.",
    fix: "Start the server before answering the reference, and set the port that it really has.",
  },
  E_SIZE_WRONG: {
    means: "`size_bytes` is not the number of bytes of the payload.",
    fix: "Count the bytes that are served, not characters; or leave it out.",
  },
  E_CHECKSUM_FORM: {
    means: "`checksum` is not of the form algorithm:value.",
    fix: 'Write it as in "sha256:9f86d0...", or leave it out.',
  },
  E_CHECKSUM_WRONG: {
    means: "`checksum` is not the one of the payload.",
    fix: "Take the checksum of the bytes that are served; or leave it out.",
  },
} as const;
