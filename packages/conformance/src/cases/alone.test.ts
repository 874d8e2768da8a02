import { expect, it } from "vitest";
import type { Exchange } from "../wire/exchange.ts";
import { howManyAtOnce } from "./alone.ts";

const replyOf = (length: number) => ({ reply: { body: { length } } }) as Exchange;

it.each([
  ["as many as are wanted of what is short", 32, [replyOf(2000), undefined], 32],
  ["fewer of what is long, by the longest", 32, [replyOf(10), replyOf(8 * 2 ** 20)], 8],
  ["two of what is longer than all that is asked for at once", 32, [replyOf(100 * 2 ** 20)], 2],
  ["as many as are wanted where nothing was answered", 40, [], 40],
])("asks at once for %s", (_what, most, replies, count) => {
  expect(howManyAtOnce(most, replies)).toBe(count);
});
