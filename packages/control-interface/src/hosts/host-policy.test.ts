import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHostPolicy, type HostPolicyOptions } from "./host-policy.ts";

const url = (text: string) => new URL(text);
const refused = (text: string, options?: HostPolicyOptions) => {
  try {
    createHostPolicy(options).assertUrl(url(text));
    return false;
  } catch {
    return true;
  }
};

function resolve(host: string, options?: HostPolicyOptions): Promise<string> {
  return new Promise((done) => {
    createHostPolicy(options).lookup(host, { all: false }, (error, address) =>
      done(error?.message ?? String(address)),
    );
  });
}

describe("createHostPolicy", () => {
  it.each([
    "http://169.254.169.254/latest/meta-data",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.1/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::169.254.169.254]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://224.0.0.1/",
  ])("never calls %s", (text) => {
    expect(refused(text)).toBe(true);
    expect(refused(text, { allow_hosts: ["0.0.0.0/0", "::/0", "169.254.169.254"] })).toBe(true);
  });

  it.each([
    "http://127.0.0.1:8080/",
    "http://[::1]/",
    "http://10.1.2.3/",
    "http://192.168.1.1/",
    "http://8.8.8.8/",
    "http://loader:8080/",
  ])("calls %s by default", (text) => expect(refused(text)).toBe(false));

  it("keeps to the list where there is one", () => {
    const options = { allow_hosts: ["10.0.0.0/8", "127.0.0.1", "*.tef.example"] };
    expect(refused("http://10.9.9.9/", options)).toBe(false);
    expect(refused("http://127.0.0.1/", options)).toBe(false);
    expect(refused("http://192.168.0.1/", options)).toBe(true);
  });

  it("checks what a name resolves to", async () => {
    expect(await resolve("localhost")).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await resolve("localhost", { allow_hosts: ["10.0.0.0/8"] })).toContain(
      "only these hosts are: 10.0.0.0/8",
    );
    expect(await resolve("localhost", { allow_hosts: ["LocalHost"] })).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await resolve("169.254.169.254")).toContain("never called");
  });

  it("refuses every address of 169.254.0.0/16, however it is written", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), (third, fourth) => {
        const number = ((169 * 256 + 254) * 256 + third) * 256 + fourth;
        const spellings = [
          `169.254.${third}.${fourth}`,
          String(number),
          `0x${number.toString(16)}`,
          `[::ffff:169.254.${third}.${fourth}]`,
        ];
        for (const host of spellings) expect(refused(`http://${host}/`)).toBe(true);
      }),
    );
  });

  it("wants entries that make sense", () => {
    expect(() => createHostPolicy({ allow_hosts: ["http://x"] })).toThrow(TypeError);
  });
});
