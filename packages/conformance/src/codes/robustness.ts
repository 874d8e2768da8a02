/** Codes of the profile robustness. */
export const robustness = {
  E_DIED: {
    means: "After a request the service does not answer any more.",
    fix: "Limit depth and size of what is read, and let no error of one request end the process.",
  },
  E_INJECTION: {
    means: "A name out of a request ran something that is no method of the service.",
    fix: "Look methods up in a table of your own (a Map, a dict), never among attributes, modules or files.",
  },
  E_FILE_LEAK: {
    means: "An id out of a path was used as the name of a file.",
    fix: "Look ids up among the tasks that the service itself has created; never join them to a path.",
  },
  E_POLLUTED: {
    means: "A request has changed what later requests are answered.",
    fix: "Copy only the members you know out of a request, into objects without a prototype or a Map.",
  },
  E_BROKEN_FRAMING_ACCEPTED: {
    means: "A request whose length is not what it announces was carried out.",
    fix: "Answer 400, or close the connection, when a body is shorter than Content-Length or its chunks are broken.",
  },
  E_DESYNC: {
    means: "What belongs to the body of one request was read as another request.",
    fix: "Let Transfer-Encoding win over Content-Length, or refuse requests that have both; update the HTTP server.",
  },
  E_SLOW_CLIENT_KEPT: {
    means: "A connection whose request never ends is not closed.",
    fix: "Set the server's time limit for request headers, to 10 s or so.",
  },
  E_NO_BODY_LIMIT: {
    means: "A body of any size is read into memory.",
    fix: "Answer 413 to bodies over a limit, before they are read whole; large payloads travel as http or file references.",
  },
  E_MEMORY: {
    means: "Memory grows with what callers send, and does not come back.",
    fix: "Limit the size of bodies, and keep nothing of a request that was refused.",
  },
  E_CONTRADICTION: {
    means: "Two replies about one task contradict each other.",
    fix: "Keep every execution under a handle of its own; once it is complete or failed, never change it again.",
  },
  E_HANDLE_REUSED: {
    means: "Two tasks were given the same handle.",
    fix: "Make handles of random UUIDs.",
  },
} as const;
