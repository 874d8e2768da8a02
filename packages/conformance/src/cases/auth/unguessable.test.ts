import { describe, expect, it } from "vitest";
import { isUnguessable } from "./unguessable.ts";

describe("a URL that nobody can make up", () => {
  it.each([
    "http://svc:8080/control/data/0b0a1f6e-5f0b-4c57-9d61-0e6f7a3f6f11",
    "http://svc:8080/control/data/9f86d081884c7d659a2feaa0c55ad015",
    `http://svc:8080/control/data/task_1?expires=1900000000&signature=${"a1".repeat(32)}`,
    "https://bucket/raw.csv?X-Amz-Signature=9f86d081884c7d659a2feaa0c55ad015",
  ])("is %s", (uri) => expect(isUnguessable(uri)).toBe(true));

  it.each([
    "http://svc:8080/control/data/task_5195c7eb",
    "http://svc:8080/control/data/wf-0123456789ab_task_5195c7eb",
    "http://svc:8080/control/data/17?expires=1900000000",
    "http://svc:8080/control/data/analyzed_energy_consumption.csv",
    "http://9f86d081884c7d659a2feaa0c55ad015/control/data/1",
  ])("is not %s", (uri) => expect(isUnguessable(uri)).toBe(false));
});
