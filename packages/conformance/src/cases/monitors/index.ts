import { acceptedReplies } from "./w1-accepted-replies.ts";

export const monitorCases = [acceptedReplies];
