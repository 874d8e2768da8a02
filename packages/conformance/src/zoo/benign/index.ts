import type { BenignService } from "./benign.ts";
import { benignBodies } from "./bodies.ts";
import { benignHttp } from "./http.ts";
import { benignStatuses } from "./statuses.ts";
import { benignTasks } from "./tasks.ts";

/** All of them. */
export const benignServices: readonly BenignService[] = [
  ...benignBodies,
  ...benignStatuses,
  ...benignHttp,
  ...benignTasks,
];
