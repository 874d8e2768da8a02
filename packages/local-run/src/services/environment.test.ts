import { expect, it } from "vitest";
import { toServiceEnvironment } from "./environment.ts";

it("keeps the shell's variables but those that are wrong for several services at once", () => {
  const shell = {
    PATH: "/bin",
    PORT: "8080",
    SELF_URL: "http://x",
    GRPC_PORT: "50051",
    GRPC_HOST: "x",
    LOG_DIR: "/l",
    DATA_ROOTS: "/r",
  };
  expect(toServiceEnvironment({ data_dir: "/data" }, shell)).toEqual({
    PATH: "/bin",
    HOST: "127.0.0.1",
    PORT: "0",
    GRPC_PORT: "0",
    DATA_DIR: "/data",
  });
});
