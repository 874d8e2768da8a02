import { sameTaskTwoWorkflows } from "./i01-same-task-two-workflows.ts";

export const isolationCases = [sameTaskTwoWorkflows];
