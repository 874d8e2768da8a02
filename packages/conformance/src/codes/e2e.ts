/** Codes that workflows end with. */
export const e2e = {
  E_WORKFLOW_FAILED: {
    means: "A real workflow failed over this service, whose task completes when it is called by hand.",
    fix: "Look at what the workflow did: the calls differ from those of the other cases in their ids, their headers and in what runs at the same time.",
  },
  E_WORKFLOW_NOT_FAILED: {
    means: "A real workflow did not fail although its task cannot work.",
    fix: "Answer `failed` with the reason as the error, every time, whoever asks.",
  },
  E_WORKFLOW_UNEXPLAINED: {
    means: "A real workflow failed, but not with the reason that the service has.",
    fix: "Answer `failed` with the reason as a text that is not empty.",
  },
} as const;
