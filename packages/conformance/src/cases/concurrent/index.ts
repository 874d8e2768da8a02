import { visibleAtOnce } from "./t04-visible-at-once.ts";

export const concurrentCases = [visibleAtOnce];
