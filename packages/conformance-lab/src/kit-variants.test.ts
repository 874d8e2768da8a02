import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pristineManifest } from "@aieffect/conformance/zoo";
import {
  controlRouter,
  type ServiceOptions,
  type Style,
  sequentialService,
  serve,
} from "@aieffect/service-kit";
import { hasRedis, needs, startRedis } from "@aieffect/test-support";
import express from "express";
import { describe, expect, it } from "vitest";
import { judge, labScale, shortcomings } from "./judge.ts";
import { kitOperations } from "./kit-service.ts";

/** Of the test that runs: several do at once. */
type OnEnd = (end: () => Promise<void>) => void;

const key = "a-key-of-the-lab";
/** As quick with slow clients as the lab is with everything. */
const hurried = { headers_timeout_ms: 1000 };

async function folder(onEnd: OnEnd): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "aieffect-lab-"));
  onEnd(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

async function start(onEnd: OnEnd, given: Partial<ServiceOptions> = {}, style?: Style) {
  const share = await folder(onEnd);
  const service = sequentialService({
    operations: kitOperations(labScale, style),
    data_dir: share,
    log_level: "silent",
    ...given,
  });
  const running = await serve(service, { ...hurried, host: "127.0.0.1", port: 0, handle_signals: false });
  onEnd(() => running.close());
  return { url: running.url, share };
}

/** The manifest with the methods of one style alone. */
function only(style: Style): string {
  const [head = "", ...methods] = pristineManifest.split(/^(?= {2}\w)/m);
  const own = methods.filter((text) => text.includes(`mode: ${style}`)).join("");
  // Its output has nowhere to go without the others.
  return head + (style === "concurrent" ? own.replaceAll(/^ {4}feeds:.*\n/gm, "") : own);
}

describe.concurrent("our kit is conformant", () => {
  it("with both styles", async ({ onTestFinished }) => {
    const target = await start(onTestFinished);
    expect(shortcomings(await judge({ ...target, manifest: pristineManifest }))).toEqual([]);
  });

  it("with a key", async ({ onTestFinished }) => {
    const target = await start(onTestFinished, { api_key: key });
    const report = await judge({ ...target, token: key, manifest: pristineManifest, claims: ["auth"] });
    expect(shortcomings(report)).toEqual([]);
  });

  it.for(["sequential", "concurrent"] as const)("%s alone", async (style, { onTestFinished }) => {
    const target = await start(onTestFinished, {}, style);
    const report = await judge({ ...target, manifest: only(style), claims: [style] });
    // Train, which alone is concurrent, has no sample with inputs.
    const without = { D05: "untestable", D07: "untestable", D08: "untestable" } as const;
    expect(shortcomings(report, style === "concurrent" ? without : {})).toEqual([]);
  });

  it("with its tasks in SQLite", async ({ onTestFinished }) => {
    const target = await start(onTestFinished, { store: `sqlite:${await folder(onTestFinished)}` });
    expect(shortcomings(await judge({ ...target, manifest: pristineManifest }))).toEqual([]);
  });

  it.skipIf(needs("redis-server", hasRedis()))(
    "with its tasks in Redis, and a key",
    async ({ onTestFinished }) => {
      const redis = await startRedis({ onEnd: onTestFinished });
      const target = await start(onTestFinished, { store: redis.url, api_key: key });
      expect(shortcomings(await judge({ ...target, token: key, manifest: pristineManifest }))).toEqual([]);
    },
  );

  it("in an Express app of its own", async ({ onTestFinished }) => {
    const share = await folder(onTestFinished);
    const app = express();
    const server = createServer(
      { headersTimeout: hurried.headers_timeout_ms, connectionsCheckingInterval: 100 },
      app,
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const service = sequentialService({
      operations: kitOperations(labScale),
      data_dir: share,
      self_url: url,
      log_level: "silent",
    });
    app.use(controlRouter(service));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await service.close();
    });
    expect(shortcomings(await judge({ url, share, manifest: pristineManifest }))).toEqual([]);
  });
});
