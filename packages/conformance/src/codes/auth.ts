/** Codes of the profile auth. */
export const authCodes = {
  E_OPEN: {
    means: "A call without the token is served.",
    fix: "Ask every call below /control for the token, in one place ahead of all routes.",
  },
  E_TOKEN_ACCEPTED: {
    means: "A call with another token, or with something that is no bearer token, is served.",
    fix: "Compare the whole token, in constant time, and only behind `Authorization: Bearer `.",
  },
  E_SCHEME_CASE: {
    means: "The scheme is only understood in one spelling.",
    fix: "Compare the word Bearer without regard to case (RFC 9110 section 11.1).",
  },
  E_NO_CHALLENGE: {
    means: "A 401 has no `WWW-Authenticate: Bearer`.",
    fix: "Send the header with every 401 (RFC 9110 section 15.5.2).",
  },
  E_AUTH_LATE: {
    means: "A request is looked at before its token is.",
    fix: "Check the token before the body is read, in a middleware ahead of validation.",
  },
  E_EXISTENCE_ORACLE: {
    means: "Without a token it can be told which tasks exist.",
    fix: "Answer 401 before an id is looked up.",
  },
  E_QUERY_TOKEN: {
    means: "The token is taken out of the URL, where proxies and logs keep it.",
    fix: "Take the token from the Authorization header only.",
  },
  E_TOKEN_SHOWN: {
    means: "A reply shows the token.",
    fix: "Never put headers of a request, or settings of the service, into a reply or an error text.",
  },
} as const;
