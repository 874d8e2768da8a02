/** Codes that cases of several profiles end with. */
export const common = {
  E_UNREACHABLE: {
    means: "Nothing answers at the target's URL.",
    fix: "Start the service, and check host, port and path of the URL.",
  },
  E_NO_REPLY: {
    means: "A call got no whole HTTP reply: the connection was refused, closed or reset.",
    fix: "Answer every call, also one that fails; look into the service's log for the crash behind it.",
  },
  E_MALFORMED_REPLY: {
    means: "What came back is not well-framed HTTP.",
    fix: "Let an HTTP library write the reply; a Content-Length has to be the number of bytes of the body.",
  },
  E_DEADLINE: {
    means: "A call was not answered in time.",
    fix: "Answer within the budget; move the work into the background and answer `running` with a task_id.",
  },
  E_SERVER_ERROR: {
    means: "A call was answered with a 5xx.",
    fix: "Catch what the handler throws: answer 200 `failed` with the error as a text, and 422 for requests that are not valid.",
  },
  E_STATUS_LITERAL: {
    means: "The status word is none of `complete`, `running`, `failed`.",
    fix: "Use exactly these words, in lower case.",
  },
  E_TASK_ID_MISSING: {
    means: "`running` was answered without a task_id to poll with.",
    fix: 'Answer {"status":"running","task_id":"<handle>"} with the handle under which status and output answer.',
  },
  E_REPLY_REFUSED: {
    means: "The deployed orchestrator refuses this reply.",
    fix: "Change the field that is named to what is expected.",
  },
  E_UNEXPECTED_STATUS: {
    means: "The HTTP status is another than expected.",
    fix: "Answer with the status that the rule names.",
  },
  E_NOT_JSON: {
    means: "The body is not the JSON value that is expected.",
    fix: "Answer every call with one JSON object in UTF-8.",
  },
  E_SAMPLE_FAILED: {
    means: "A sample that should complete did not.",
    fix: "Run the sample by hand; correct it in the manifest, or the service.",
  },
  E_STUCK: {
    means: "A task did not end within its time.",
    fix: "Set every task to `complete` or `failed` when its work ends, also when it throws.",
  },
  E_WRONG_OUTPUT: {
    means: "A task's output is not the one that the same request had before.",
    fix: "Keep every execution's result under a key of its own, never in a variable or file that tasks share.",
  },
  E_HEALTH_STATUS: {
    means: "GET /health does not answer 200.",
    fix: 'Answer GET /health with 200 and {"status":"ok"}, without asking for a token.',
  },
  E_CONTENT_TYPE: {
    means: "The media type is another than that of the body.",
    fix: "Send Content-Type: application/json with every JSON body.",
  },
  E_ERROR_NOT_TEXT: {
    means: "`error` is neither a text nor null.",
    fix: "Put the message into `error` as a text; details belong into the log.",
  },
  E_TASK_ID_TYPE: {
    means: "`task_id` is no text.",
    fix: "Answer the handle as a text, also where it is a number.",
  },
  E_PROGRESS_TYPE: {
    means: "`progress` is no integer.",
    fix: "Round progress to an integer from 0 to 100.",
  },
  E_REFERENCE_INVALID: {
    means: "The output is no DataReference that the deployed orchestrator takes.",
    fix: "Correct the field that is named; CONTRACT.md, DataReference, has the rules.",
  },
  E_NOT_VISIBLE: {
    means: "A handle that was told is not known yet.",
    fix: "Register the task before answering `running`.",
  },
} as const;
