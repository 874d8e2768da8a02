import { randomFillSync } from "node:crypto";

/** 128 random bits a handle; drawn in stock, because a handle is made for every task. */
const bytesEach = 16;
const stock = Buffer.alloc(bytesEach * 256);
let next = stock.length;

/** A handle that nobody guesses and that stands in a path as it is (R-EXEC-08): 22 characters of base64url. */
export function createHandle(): string {
  if (next === stock.length) {
    randomFillSync(stock);
    next = 0;
  }
  next += bytesEach;
  return stock.toString("base64url", next - bytesEach, next);
}
