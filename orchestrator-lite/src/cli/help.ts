const general = `aieffect-orchestrator: runs AI-Effect pipelines

Usage:
  aieffect-orchestrator serve [options]                            the REST API
  aieffect-orchestrator run <blueprint> <dockerinfo> [options]     one pipeline, here and now
  aieffect-orchestrator conformance <url> [options]                would it work with this service?
  aieffect-orchestrator <command> --help

Examples:
  aieffect-orchestrator serve --port 8000
  aieffect-orchestrator run export/blueprint.json export/dockerinfo.json
  aieffect-orchestrator conformance http://localhost:8080
`;

const serve = `aieffect-orchestrator serve: the orchestrator's REST API

Options:
  --host HOST              address to listen on (HOST; 127.0.0.1 without a key, else 0.0.0.0)
  --port PORT              port to listen on, 0 for a free one (PORT; 8000)
  --call-timeout SECONDS   limit of one call to a service (30)
  --task-timeout SECONDS   limit of a task over all its attempts (3600)
  --allow-host HOST        only call these hosts: name, *.suffix, address or CIDR range; repeatable

Environment:
  ORCHESTRATOR_API_KEY     every call but /health needs Authorization: Bearer <key>
  HOST, PORT               as above
  LOG_LEVEL, LOG_DIR       info; a folder for rotating log files beside standard output
  MAX_CALLS_PER_SERVICE    executes that go on at one service at once; over that they wait (256)

Examples:
  aieffect-orchestrator serve
  ORCHESTRATOR_API_KEY=... aieffect-orchestrator serve --port 18000
  curl -H 'content-type: application/json' -d @submission.json http://127.0.0.1:8000/workflows
`;

const run = `aieffect-orchestrator run: runs one pipeline and prints its outputs

Usage:
  aieffect-orchestrator run <blueprint.json> <dockerinfo.json> [options]

Options:
  --input REFERENCE            input of every start node; repeatable, in order. One of:
                                 data.csv               a file that the services can open under the same path
                                 inline:config.json     the content of a file, sent along
                                 http://host/data.csv   a URL (http, https, s3, mqtt)
                                 '{"protocol": ...}'    a DataReference as JSON
  --parameters JSON|FILE       parameters by node, e.g. '{"trainer1:TrainModel": {"epochs": 5}}'
  --services-api-key-env NAME  variable that holds the services' bearer key
  --call-timeout SECONDS       limit of one call to a service (30)
  --task-timeout SECONDS       limit of a task over all its attempts (3600)
  --timeout SECONDS            limit of the whole pipeline (none)
  --allow-host HOST            only call these hosts; repeatable
  --json                       print the result as one JSON object

Progress goes to standard error, outputs to standard output. Ctrl-C cancels the workflow.

Exit codes: 0 completed, 1 failed, 2 usage, 4 invalid document, 5 service unreachable, 130 interrupted

Examples:
  aieffect-orchestrator run blueprint.json dockerinfo.json --input inline:config.json
  aieffect-orchestrator run blueprint.json dockerinfo.json --parameters parameters.json
  KEY=... aieffect-orchestrator run blueprint.json dockerinfo.json --services-api-key-env KEY --json
`;

/** The help of a command, or the general one. */
export function helpOf(command: string | undefined): string {
  if (command === "serve") return serve;
  return command === "run" ? run : general;
}
