import { expect, it } from "vitest";
import { toDockerinfo } from "./dockerinfo.ts";

it("lists the containers by name, with the port as a text", () => {
  expect(toDockerinfo({ b1: "http://127.0.0.1:4002", a1: "http://localhost" })).toEqual({
    docker_info_list: [
      { container_name: "a1", ip_address: "localhost", port: "80" },
      { container_name: "b1", ip_address: "127.0.0.1", port: "4002" },
    ],
  });
});

it.each(["", "127.0.0.1:80", "https://a:443", "http://a:80/path"])("refuses %j", (url) => {
  expect(() => toDockerinfo({ a1: url })).toThrow(
    `Expected a base URL like http://127.0.0.1:8080, found "${url}"`,
  );
});
