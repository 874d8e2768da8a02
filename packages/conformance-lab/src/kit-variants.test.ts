import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pristineManifest } from "@aieffect/conformance/zoo";
import {
  controlRouter,
  type ServiceOptions,
  type Style,
  sequentialService,
  serve,
} from "@aieffect/service-kit";
import { hasRedis, needs, startRedis, tempFolder } from "@aieffect/test-support";
import express from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { judge, labScale, shortcomings } from "./judge.ts";
import { kitOperations } from "./kit-service.ts";

const key = "a-key-of-the-lab";

async function start(given: Partial<ServiceOptions>, style?: Style): Promise<{ url: string; share: string }> {
  const data_dir = await tempFolder();
  const options: ServiceOptions = {
    operations: kitOperations(labScale, style),
    data_dir,
    log_level: "silent",
    ...given,
  };
  const running = await serve(sequentialService(options), {
    host: "127.0.0.1",
    port: 0,
    handle_signals: false,
  });
  onTestFinished(() => running.close());
  return { url: running.url, share: data_dir };
}

/** The manifest with the methods of one style alone. */
function only(style: Style): string {
  const [head = "", ...methods] = pristineManifest.split(/^(?= {2}\w)/m);
  return head + methods.filter((text) => text.includes(`mode: ${style}`)).join("");
}

describe("our kit", () => {
  it("with both styles", async () => {
    const { url, share } = await start({});
    expect(shortcomings(await judge({ url, share, manifest: pristineManifest }))).toEqual([]);
  });

  it("with a key", async () => {
    const { url, share } = await start({ api_key: key });
    const report = await judge({ url, share, token: key, manifest: pristineManifest, claims: ["auth"] });
    expect(shortcomings(report)).toEqual([]);
  });

  it.each(["sequential", "concurrent"] as const)("%s alone", async (style) => {
    const { url, share } = await start({}, style);
    const manifest = only(style).replaceAll(/^ {4}feeds:.*\n/gm, "");
    expect(shortcomings(await judge({ url, share, manifest, claims: [style] }))).toEqual([]);
  });

  it("with its tasks in SQLite", async () => {
    const { url, share } = await start({ store: `sqlite:${join(await tempFolder(), "state")}` });
    expect(shortcomings(await judge({ url, share, manifest: pristineManifest }))).toEqual([]);
  });

  it.skipIf(needs("redis-server", hasRedis()))("with its tasks in Redis, and a key", async () => {
    const redis = await startRedis();
    const { url, share } = await start({ store: redis.url, api_key: key });
    const report = await judge({ url, share, token: key, manifest: pristineManifest });
    expect(shortcomings(report)).toEqual([]);
  });

  it("in an Express app of its own", async () => {
    const data_dir = await tempFolder();
    const app = express();
    const server = await new Promise<Server>((resolve) => {
      const listening = app.listen(0, "127.0.0.1", () => resolve(listening));
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const operations = kitOperations(labScale);
    const service = sequentialService({ operations, data_dir, self_url: url, log_level: "silent" });
    app.use(controlRouter(service));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await service.close();
    });
    expect(shortcomings(await judge({ url, share: data_dir, manifest: pristineManifest }))).toEqual([]);
  });
});
