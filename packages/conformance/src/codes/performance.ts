/** Codes of the profile performance. */
export const performance = {
  E_MEASURED: {
    means: "A figure that was measured; it is no verdict.",
    fix: "To have it judged, name a budget for it: --budget NAME=VALUE.",
  },
  E_BUDGET: {
    means: "A figure is not within the budget that was given for it.",
    fix: "Profile the service under the load that the case describes, or give it another budget.",
  },
} as const;
