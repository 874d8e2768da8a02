import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("../../dist/oracle/main.js", import.meta.url));

async function oracle(...lines: string[]) {
  const folder = await tempFolder();
  await writeFile(`${folder}/replies.jsonl`, lines.join("\n"));
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "replies.jsonl"], {
    env: { ...process.env, INIT_CWD: folder },
    encoding: "utf8",
  });
  return { status, stdout, stderr, folder };
}

const agreed = '{"kind":"status","body":{"status":"running"},"accepted":true,"read_as":{"status":"running"}}';
const wrong = '{"kind":"status","body":{"status":"running"},"accepted":false,"fields":["status"]}';

describe("the oracle command", () => {
  it("counts agreement and exits 0", async () => {
    const { status, stdout } = await oracle(
      agreed,
      '{"kind":"output","body":null,"accepted":false,"fields":[""]}',
      "",
    );
    expect(stdout).toBe("2 replies, 0 disagreements\n");
    expect(status).toBe(0);
  });

  it("prints each disagreement and exits 1", async () => {
    const { status, stdout } = await oracle(agreed, wrong);
    expect(stdout).toContain('line 2: status {"status":"running"}\n');
    expect(stdout).toContain('"outcome":"polls"');
    expect(stdout.endsWith("\n2 replies, 1 disagreements\n")).toBe(true);
    expect(status).toBe(1);
  });

  it("judges replies of which nothing is recorded", async () => {
    const { status, stdout } = await oracle('{"kind":"execute","body":{"status":"running"}}', agreed);
    expect(stdout).toBe(
      'line 1: execute {"status":"running"}\n' +
        "  hangs: Expected running to carry the task_id to poll with, found nothing; the task stays running for ever (R-READ-09, R-EXEC-09)\n" +
        "2 replies, 0 disagreements\n",
    );
    expect(status).toBe(0);
  });

  it("does not split a line at U+2028", async () => {
    const { stdout } = await oracle(agreed.replace('"running"}', '"running","note":"a\u2028b"}'));
    expect(stdout).toBe("1 replies, 0 disagreements\n");
  });

  it("names file and line of what it cannot read, and exits 2", async () => {
    const { status, stderr, folder } = await oracle(agreed, '{"kind":"other"}');
    expect(stderr).toContain(
      `${folder}/replies.jsonl:2: expected one JSON object a line. Expected an object with kind (execute, status, output)`,
    );
    expect(status).toBe(2);
    const missing = spawnSync(process.execPath, [main, "/no/such/file"], { encoding: "utf8" });
    expect(missing.stderr).toContain("/no/such/file");
    expect(missing.status).toBe(2);
  });

  it("explains itself", () => {
    expect(spawnSync(process.execPath, [main, "--help"], { encoding: "utf8" }).stdout).toContain(
      "Usage: oracle FILE",
    );
    expect(spawnSync(process.execPath, [main], { encoding: "utf8" }).status).toBe(2);
  });
});
