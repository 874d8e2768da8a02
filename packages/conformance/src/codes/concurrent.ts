/** Codes of the profile concurrent. */
export const concurrentCodes = {
  E_HANDLE_UNSAFE: {
    means: "A handle does not survive being pasted into a path.",
    fix: "Make handles of 1 to 256 characters out of A-Z a-z 0-9 _ . : -, as in a UUID.",
  },
  E_PROGRESS_RANGE: {
    means: "`progress` is not between 0 and 100.",
    fix: "Answer progress as an integer from 0 to 100.",
  },
  E_PROGRESS_FALLS: {
    means: "`progress` went down.",
    fix: "Never report less than was reported before.",
  },
  E_PROGRESS_END: {
    means: "A complete task reports less than 100.",
    fix: "Report 100 with `complete`, or no progress at all.",
  },
  E_REGRESSED: {
    means: "A task that was reported as ended was reported differently later.",
    fix: "Never change a task that is `complete` or `failed`; give every execution a handle of its own.",
  },
  E_OUTPUT_NOT_READY: {
    means: "Status says `complete`, and the output is not there.",
    fix: "Store the output first, and only then say `complete`.",
  },
  E_OUTPUT_EARLY: {
    means: "The output of a task that still runs is answered.",
    fix: 'Answer 400 with {"detail":"Task not complete"} until the status is `complete`.',
  },
  E_OUTPUT_OF_FAILED: {
    means: "The output of a task that failed is answered.",
    fix: 'Answer 400 with {"detail":"Task not complete"} for a task that failed.',
  },
  E_ERROR_EMPTY: {
    means: "A task failed without saying why.",
    fix: "Put a text that is not empty into `error`.",
  },
  E_VANISHED: {
    means: "What could be read before cannot be read any more.",
    fix: "Keep status, output and payload of an ended task for 24 hours, at least for 60 s, however often they are read.",
  },
  E_RESULT_CHANGES: {
    means: "Two reads of the same result differ.",
    fix: "Make the reference once, when the task ends, and answer that one every time.",
  },
  E_POLL_REFUSED: {
    means: "A poll was not answered with 200.",
    fix: "Answer every poll with 200 and the status: no rate limit on status, no 304.",
  },
  E_POLL_DRIVES_WORK: {
    means: "A task goes on only while it is polled.",
    fix: "Do the work in a thread, task or process of its own, not in the handler of status.",
  },
  E_LOST_COMPLETION: {
    means: "A task that ended at once is never reported as ended.",
    fix: "Register the task as running before its work begins, so that nothing overwrites its end.",
  },
} as const;
