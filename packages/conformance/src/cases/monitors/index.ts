import { acceptedReplies } from "./w1-accepted-replies.ts";
import { statusOrder } from "./w2-status-order.ts";
import { no5xx } from "./w3-no-5xx.ts";
import { nothingLeaks } from "./w4-nothing-leaks.ts";

export const monitorCases = [acceptedReplies, statusOrder, no5xx, nothingLeaks];
