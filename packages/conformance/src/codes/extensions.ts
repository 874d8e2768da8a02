/** Codes of the profile extensions. */
export const extensionCodes = {
  E_SELF_DESCRIPTION: {
    means: "The self-description has not the form that is expected.",
    fix: 'Answer GET /control/operations with {"operations":[{"name","style",...}],"extensions":[...]}.',
  },
  E_FALSE_CLAIM: {
    means: "The self-description declares what the service does not have.",
    fix: "Declare only what works; build the list from the code that serves it.",
  },
  E_WAIT_EARLY: {
    means: "A call that asked to wait was answered before anything had changed.",
    fix: "Hold the call until status or progress changes, or the wait is over.",
  },
  E_WAIT_LATE: {
    means: "A call that asked to wait was not answered when the task changed.",
    fix: "Wake waiting calls at every change of status or progress.",
  },
  E_WAIT_NOT_APPLIED: {
    means: "A wait was honoured without Preference-Applied.",
    fix: "Add Preference-Applied: wait=N to the answer.",
  },
  E_WAIT_UNBOUNDED: {
    means: "A wait was longer than the 25 s that are allowed.",
    fix: "Answer after the smaller of N and 25 seconds, so that no client or proxy gives up before.",
  },
  E_WAITER_LEAK: {
    means: "Callers that went away still take up the place of those that came after.",
    fix: "End the wait when its connection closes.",
  },
  E_STARVED: {
    means: "Waiting calls keep others from being answered.",
    fix: "Wait without holding a thread: on an event or a promise, or with more threads than waiters.",
  },
  E_EVENT_STREAM: {
    means: "The event stream has not the form that is expected.",
    fix: "Answer text/event-stream: `event: status`, `id: <n>`, `data: <the status body in one line>`, an empty line.",
  },
  E_EVENT_END: {
    means: "The stream does not end with the event of the task's end.",
    fix: "Send the event with `complete` or `failed`, then close the stream.",
  },
  E_EVENT_GAP: {
    means: "An event is missing from the stream.",
    fix: "Keep all changes of a task, and begin after the one that Last-Event-ID names.",
  },
  E_EVENT_REPEATED: {
    means: "An event came twice, or out of order.",
    fix: "Send every change once, with an id that counts up.",
  },
  E_EVENT_SILENCE: {
    means: "The stream is silent for so long that proxies cut it.",
    fix: "Send a comment line (`:`) every 15 s while nothing changes.",
  },
  E_KEY_IGNORED: {
    means: "A call that was repeated with its Idempotency-Key was executed again.",
    fix: "Keep key and answer with the execution, and answer the same again.",
  },
  E_KEY_REUSED: {
    means: "A known Idempotency-Key with another body was not refused.",
    fix: "Compare the body with that of the first call, and answer 422 when it differs.",
  },
  E_KEY_SCOPE: {
    means: "An Idempotency-Key is mixed up with that of another workflow or task.",
    fix: "Look keys up by workflow_id, task_id and key.",
  },
  E_NOT_ATTACHED: {
    means: "A call equal to one whose execution still runs started another execution.",
    fix: "Answer with the handle of the one that runs, and Idempotency-Replayed: true.",
  },
  E_ATTACHED_TO_ENDED: {
    means: "A new execution was asked for, and the old one's handle was answered.",
    fix: "Start a new execution, with a new handle, once the old one has ended.",
  },
  E_CANCEL_ANSWER: {
    means: "A call to cancel was answered with another status than the rule says.",
    fix: "Answer 202 for a task that runs, 200 with its status for one that ended, 404 for one that is not known.",
  },
  E_CANCEL_NO_EFFECT: {
    means: 'A task that was cancelled did not end as failed with the error "Cancelled".',
    fix: 'End the task at once as `failed` with the error "Cancelled", and stop its work.',
  },
  E_CANCEL_REGRESSES: {
    means: "Cancelling a task that had ended changed it.",
    fix: "Change only a task that is still running; compare and set in one step.",
  },
  E_CANCEL_BOTH: {
    means: "A task was cancelled and completed.",
    fix: "Let one of the two win: whoever changes the status from running first.",
  },
  E_NOT_TRANSPARENT: {
    means: "A client that knows no extension sees something that the contract does not have.",
    fix: "Answer as in part A of CONTRACT.md unless the call itself asks for an extension.",
  },
} as const;
