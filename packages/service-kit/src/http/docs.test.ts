import { hash } from "node:crypto";
import { expect, it } from "vitest";
import { defineOperation } from "../index.ts";
import { start } from "../testing/start.ts";

const hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
const sink = defineOperation({ name: hostile, sink: true, run: () => undefined });

it("/docs allows a browser its own style and nothing else, and needs nothing else", async () => {
  const self_url = "http://host/'\"><script>";
  const { call } = await start([sink], { name: hostile, version: hostile, self_url });
  const { body, headers } = await call("/docs");
  const page = body as string;
  const policy = headers.get("content-security-policy") ?? "";
  const [, style = ""] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
  expect(policy.split("; ")).toEqual([
    "default-src 'none'",
    `style-src 'sha256-${hash("sha256", style, "base64")}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("referrer-policy")).toBe("no-referrer");
  expect(headers.get("x-powered-by")).toBeNull();
  expect(page).toContain("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(page).not.toMatch(/<script|<img|<link|\sstyle=|\son\w+=(?!alert)/);
});
