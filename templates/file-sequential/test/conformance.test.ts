import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { catalogue, readManifest, runSuite, samplesOf } from "@aieffect/conformance";
import { expect, it } from "vitest";
import { startService } from "./start-service.ts";

const folder = fileURLToPath(new URL("../conformance/", import.meta.url));
const claims = ["core", "sequential"] as const;

it(`is conformant: ${claims.join(", ")}`, { timeout: 60_000 }, async () => {
  const { url } = await startService();
  const files = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  const manifests = await Promise.all(files.map((name) => readManifest(`${folder}${name}`)));
  const samples = manifests.flatMap((manifest) => samplesOf(manifest, () => "either"));
  const isClaimed = ({ profile }: { profile: string }) => claims.some((claim) => claim === profile);
  // All other profiles, which take a minute: aieffect test.
  const { results, profiles } = await runSuite({ url, samples, claims, cases: catalogue.filter(isClaimed) });
  // In words: a result also has the bytes of every exchange, which nobody reads.
  const failed = results
    .filter(({ status }) => status === "fail")
    .map(({ case: { id, fix }, findings }) => ({
      id,
      found: findings.map(({ expected, found }) => `expected ${expected}, found ${found}`),
      fix,
    }));
  expect(failed).toEqual([]);
  expect(profiles.filter(isClaimed)).toMatchObject(
    claims.map((profile) => ({ profile, verdict: "CONFORMANT" })),
  );
});
