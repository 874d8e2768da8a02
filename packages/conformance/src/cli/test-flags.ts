import type { FlagGroup } from "./flags.ts";

/** The flags of `test`. Each can be set in the environment too. */
export const testFlags: readonly FlagGroup[] = [
  {
    title: "The service",
    flags: [
      { name: "url", value: "URL", help: "its base URL; may stand without --url" },
      {
        name: "spawn",
        value: "CMD",
        help: "start it with this line of shell, and stop it in the end;\nwithout a URL it gets a free port as PORT",
      },
      { name: "cwd", value: "DIR", help: "where --spawn starts it (.)" },
      { name: "env", value: "K=V", many: true, help: "for --spawn; repeatable" },
      {
        name: "ready-timeout",
        value: "TIME",
        help: "so long /health may take to answer after --spawn (30s)",
      },
      { name: "stop-signal", value: "NAME", help: "how --spawn is stopped (TERM)" },
      {
        name: "token",
        value: "WHERE",
        help: "its key: env:NAME, file:PATH, or - for standard input",
      },
      { name: "header", value: "K=V", many: true, help: "sent with every call; repeatable" },
      { name: "config", value: "FILE", help: "the manifest (conformance.yaml, where there is one)" },
    ],
  },
  {
    title: "What is tested",
    flags: [
      {
        name: "claim",
        value: "PROFILES",
        many: true,
        help: "what it says it is, as in core,concurrent: a gap is then told, not passed over",
      },
      {
        name: "case",
        value: "GLOB",
        many: true,
        help: "only these: id, slug or profile, as T04, conc/**, auth",
      },
      { name: "skip", value: "GLOB", many: true, help: "but not these" },
      { name: "fail-fast", help: "stop at the first case that fails" },
      { name: "dry-run", help: "tell what would run, what would not, and why" },
      { name: "repeat", value: "N", help: "run every case so often, for what only happens now and then (1)" },
    ],
  },
  {
    title: "A sample, without a manifest",
    flags: [
      { name: "method", value: "NAME", help: "a method that may be called" },
      {
        name: "input",
        value: "REFERENCE",
        many: true,
        help: "its input; repeatable, in order: data.csv, a file that the service can open\nunder the same path; inline:config.json, the content of a file;\nhttp://host/data.csv; '{\"protocol\": ...}', a DataReference as JSON",
      },
      { name: "params", value: "JSON", help: "its parameters" },
    ],
  },
  {
    title: "The data plane",
    flags: [
      { name: "fixture-host", value: "NAME", help: "under which the service reaches this machine" },
      { name: "fixture-port", value: "PORT", help: "where inputs are served from (a free one)" },
      { name: "share", value: "DIR", help: "the folder here that the service sees as its own" },
      { name: "origin-map", value: "A=B", many: true, help: "peers say http://svc:8080, from here it is B" },
    ],
  },
  {
    title: "Time and limits",
    flags: [
      { name: "timeout", value: "TIME", help: "of a call (30s)" },
      { name: "poll-interval", value: "TIME", help: "between two polls (100ms)" },
      { name: "retention", value: "TIME", help: "so long a result has to stay (10s; the contract says 60s)" },
      { name: "time-scale", value: "X", help: "pauses take so much of their time (1)" },
      { name: "seed", value: "N", help: "repeats a run (a new one each time)" },
      { name: "fuzz-runs", value: "N", help: "generated requests (300)" },
      { name: "max-requests", value: "N", help: "of the whole run (20000)" },
      { name: "allow-destructive", help: "also what can harm a service that is not on this machine" },
    ],
  },
  {
    title: "The verdict",
    flags: [
      {
        name: "budget",
        value: "LIST",
        many: true,
        help: "make measurements checks, as in p95.ack=300ms,rss.per-task=16KiB",
      },
      { name: "strict", help: "a SHOULD that does not hold fails" },
      { name: "require-proof", help: "end with 3 when a MUST could not be tested" },
      {
        name: "known-failing",
        value: "FILE",
        help: "failures that are known (known-failing.yaml, where there is one)",
      },
    ],
  },
  {
    title: "What is written",
    flags: [
      {
        name: "report",
        value: "LIST",
        many: true,
        help: "console,json=FILE,junit=FILE,md=FILE,html=FILE,badge=FILE,ndjson=FILE (console);\na FILE of - is standard output",
      },
      { name: "out", value: "DIR", help: "all reports, and the evidence of what failed, into this folder" },
      { name: "no-evidence", help: "without the evidence" },
      { name: "quiet", help: "only failures and verdicts on the console" },
      { name: "color", value: "WHEN", help: "auto, always, never (auto)" },
      { name: "help", help: "this text" },
    ],
  },
];
