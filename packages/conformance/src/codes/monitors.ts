/** Codes of the monitors. */
export const monitorCodes = {
  E_REGRESSED: {
    means: "A task that was reported as ended was reported differently later.",
    fix: "Never change a task that is `complete` or `failed`; give every execution a handle of its own.",
  },
  E_SECRET_SHOWN: {
    means: "A reply shows a value of the service's environment.",
    fix: "Never put settings of the service into a reply or an error text.",
  },
  E_INTERNALS: {
    means:
      "A reply shows what is inside the service: stack frames, paths of source files, or its environment.",
    fix: "Log errors in full and tell the caller their message alone; switch debug modes off.",
  },
} as const;
