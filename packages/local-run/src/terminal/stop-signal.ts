/** A wish to stop, from the terminal or the system. */
export interface StopSignal {
  /** Aborted at the first Ctrl-C, SIGTERM or closed terminal. */
  readonly signal: AbortSignal;
  /** The exit code that tells which one it was: 130 for Ctrl-C, 143 for SIGTERM, 129 for a hang-up. */
  exitCode(): number;
  /** Gives the signals back to Node. */
  release(): void;
}

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Turns the process's signals into an AbortSignal, so that a program can clean up before it ends. */
export function catchStopSignals(): StopSignal {
  const stop = new AbortController();
  let code = 130;
  const handlers = Object.entries(codes).map(([name, exit_code]) => {
    const handler = () => {
      if (stop.signal.aborted) return;
      code = exit_code;
      stop.abort(new Error(`Stopped by ${name}`));
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return {
    signal: stop.signal,
    exitCode: () => code,
    release: () => {
      for (const off of handlers) off();
    },
  };
}
