/** Codes of the profiles core and sequential. */
export const coreCodes = {
  E_REFUSES_ORCHESTRATOR: {
    means: "A request just as the deployed orchestrator sends it is refused.",
    fix: "Take requests without `parameters`, and inputs whose optional fields are null; look at no header but Authorization and Content-Type.",
  },
  E_EXTRA_REFUSED: {
    means: "A request that has a member or header more than the service knows is refused.",
    fix: 'Ignore what you do not know: no `extra="forbid"`, no `additionalProperties: false` for what comes in.',
  },
  E_PARAMETERS_ABSENT: {
    means: "A request without `parameters` is treated unlike one with `{}`.",
    fix: "Let `parameters` default to an empty object before anything looks at it.",
  },
  E_PARAMETERS_DROPPED: {
    means: "What `parameters` says changes nothing of the output.",
    fix: "Hand the members of `parameters` to the method.",
  },
  E_UNKNOWN_METHOD_RAN: {
    means: "A method that the service cannot have was answered as if it had run.",
    fix: 'Look the method up first, and answer 400 with {"detail":"Unknown method: ..."} where there is none.',
  },
  E_INVALID_ACCEPTED: {
    means: "A request that is not valid was worked on.",
    fix: "Check method, workflow_id and task_id (texts that are not empty), inputs (a list) and parameters (an object), and answer 422.",
  },
  E_TASK_CREATED: {
    means: "A request that was refused has left a task behind.",
    fix: "Check the token and the whole request first, and only then register the task.",
  },
  E_FAILURE_HIDDEN: {
    means: "Work that should fail is answered as `complete`.",
    fix: 'Let the error out of the method, and answer {"status":"failed","error":"..."}.',
  },
  E_ERROR_EMPTY: {
    means: "A task failed without saying why.",
    fix: "Put a text that is not empty into `error`.",
  },
  E_BOTH_OUTCOMES: {
    means: "An answer has an output as well as an error.",
    fix: "Answer `complete` with an output and no error, or `failed` with an error and no output.",
  },
  E_REDIRECT: {
    means: "A path of the control interface is answered with a redirect.",
    fix: "Serve the path as it is, without a slash added and without a change of scheme; the orchestrator does not follow redirects.",
  },
  E_ALLOW_MISSING: {
    means: "A 405 does not say in `Allow` what is allowed.",
    fix: "Add an Allow header, as in `Allow: POST`.",
  },
  E_UNKNOWN_ID: {
    means: "An id that was never told is answered as if there were such a task.",
    fix: 'Answer 404 with {"detail":"Task not found"}.',
  },
  E_CONNECTION_CLOSED: {
    means: "A connection was closed between two calls, and the reply before had not announced it.",
    fix: "Keep connections open, or send `Connection: close` with the last reply.",
  },
  E_CLOSE_IGNORED: {
    means: "A connection stays open although the caller asked for `Connection: close`.",
    fix: "Close the connection after the reply; an HTTP library does so by itself.",
  },
  E_SEQUENTIAL_RUNNING: {
    means: "A method that is declared sequential answers `running`.",
    fix: "Declare the method concurrent, or answer with `complete` or `failed` when its work has ended.",
  },
  E_OUTPUT_MISSING: {
    means: "`complete` carries no output, and the method is not declared a sink.",
    fix: "Answer the reference of what was made, or declare the method a sink.",
  },
  E_NOT_REPEATABLE: {
    means: "The same call a second time is not answered like the first.",
    fix: "Let a second call with the same workflow_id and task_id run again, or answer it with the first result.",
  },
  E_BLOCKED: {
    means: "Other calls wait until the work of one task has ended.",
    fix: "Do the work in a thread or process of its own (in FastAPI: `def` instead of `async def`, or a thread pool).",
  },
  E_AFTER_ABORT: {
    means: "After callers went away in the middle of a call, the next call is not answered as before.",
    fix: "Release locks and connections also when the caller goes away, and let no broken connection end the process.",
  },
} as const;
