import { describe, expect, it } from "vitest";
import { createSecrets } from "./redact.ts";
import { createLineSink } from "./stdout.ts";

function failing(code: string): never {
  throw Object.assign(new Error(code), { code });
}

describe("createLineSink", () => {
  it("writes lines in order, together, in pieces that the reader takes", () => {
    let written = "";
    const sink = createLineSink(1, (_fd, data) => {
      const taken = Math.min(data.length, 7);
      written += data.subarray(0, taken).toString("latin1");
      return taken;
    });
    for (let line = 0; line < 3; line++) sink.write(`line ${line}\n`);
    expect(written).toBe("");
    sink.flush();
    expect(written).toBe("line 0\nline 1\nline 2\n");
    sink.flush();
    expect(written).toBe("line 0\nline 1\nline 2\n");
  });

  it("holds lines while the reader stands still, drops beyond a limit, and says so", () => {
    let open = false;
    let written = "";
    const sink = createLineSink(1, (_fd, data) => {
      if (!open) failing("EAGAIN");
      written += data;
      return data.length;
    });
    const line = `${"x".repeat(2 ** 20 - 1)}\n`;
    for (let count = 0; count < 10; count++) sink.write(line);
    open = true;
    sink.flush();
    sink.flush();
    expect(written.split("\n").filter((text) => text.startsWith("x")).length).toBeLessThan(10);
    expect(written).toMatch(/"msg":"\d+ log lines were dropped, the reader stood still"/);
  });

  it("hides the secrets of all services that write to it, until they have stopped", () => {
    let written = "";
    const sink = createLineSink(1, (_fd, data) => {
      written += data;
      return data.length;
    });
    const shown = [sink.hide(createSecrets(["KEY-1-CANARY"])), sink.hide(createSecrets(["KEY-2-CANARY"]))];
    sink.write('{"a":"KEY-1-CANARY KEY-2-CANARY"}\n{"b":1}\n');
    sink.flush();
    expect(written).toBe('{"a":"[redacted] [redacted]"}\n{"b":1}\n');
    // What was written before a service stopped is hidden also when it leaves after that.
    sink.write('{"c":"KEY-1-CANARY KEY-2-CANARY"}\n');
    shown[0]?.();
    sink.flush();
    for (let line = 0; line < 1000; line++) sink.write('{"d":"KEY-2-CANARY"}\n');
    shown[1]?.();
    sink.flush();
    expect(written).not.toContain("CANARY");
    sink.write("KEY-1-CANARY\n");
    sink.flush();
    expect(written).toContain("KEY-1-CANARY");
  });

  it("gives up at once when the reader is gone", () => {
    const sink = createLineSink(1, () => failing("EPIPE"));
    for (let count = 0; count < 100; count++) sink.write("x".repeat(1000));
    expect(() => sink.flush()).not.toThrow();
  });
});
