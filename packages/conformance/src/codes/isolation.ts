/** Codes about tasks that disturb one another. */
export const isolationCodes = {
  E_ID_SHARED: {
    means: "Two executions were given the same handle.",
    fix: "Answer `running` with a handle that is unlike any other, such as a UUID.",
  },
  E_DISTURBED: {
    means: "A task did not complete because of another one.",
    fix: "Let each task have state, errors and a worker of its own; catch what one throws where it runs.",
  },
  E_PARAMETER_BLEED: {
    means: "Parameters of an earlier task have influence on a later one.",
    fix: "Start every task from the defaults: no mutable default arguments, no settings in module variables.",
  },
  E_TASK_LOST: {
    means: "A task that was accepted is not known any more.",
    fix: "Keep every task under the handle that was told for it, until its result is no longer needed.",
  },
  E_TORN_COMPLETION: {
    means: "Status says complete while the output is not there yet.",
    fix: "Store the output first, then set the status; or both under one lock.",
  },
  E_NOT_SHARED: {
    means: "A task is known on some connections, and not on others.",
    fix: "Run one process, or keep the tasks where all processes see them (a database, Redis).",
  },
  E_ZOMBIE: {
    means: "A task that died with its service is said to run for ever.",
    fix: "At start, set tasks that were running to `failed`, or go on with them.",
  },
  E_NO_RESTART: {
    means: "The service does not come up again after it was stopped.",
    fix: "Start it by hand after kill -9: a lock, a socket or half-written state that was left behind must not be in its way.",
  },
  E_STOP_IGNORED: {
    means: "The service does not end when it is asked to.",
    fix: "Handle SIGTERM: take nothing new, let running work end, and exit within 10 s.",
  },
  E_TASK_DROPPED: {
    means:
      "A task that was running when the service was asked to stop is gone, neither completed nor failed.",
    fix: "On SIGTERM go on answering until running tasks have ended; or keep tasks where the next process finds them, and set them to `failed`.",
  },
} as const;
