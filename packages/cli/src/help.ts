const general = `aieffect: everything around a service, and from a use case to its portal package and back

Usage:
  aieffect dev [folder]                          run a service, anew after every change, with an orchestrator
  aieffect try <Operation> [options]             run one operation as an orchestrator would
  aieffect test [url] [options]                  conformance: would the deployed orchestrator work with it?
  aieffect add operation|pipeline <name>         one more operation of a service; a pipeline of services
  aieffect info                                  this command, the machine, the project
  aieffect why <file>                            whose a file is: yours, managed or derived
  aieffect doctor [--fix]                        what could be in the way, here and in the project
  aieffect check [use case or export]            what is wrong, with file and line
  aieffect export [use case]                     blueprint, dockerinfo, protos, ZIP for the portal
  aieffect export compose [use case or export]   a docker-compose.yml for the same services
  aieffect build-script [use case]               a script that builds and tags the images
  aieffect import <ZIP, export or gRPC config>   back to a use case
  aieffect graph [use case or export]            the pipeline as a drawing
  aieffect <command> --help

A use case is a folder with connections.json and services/<node>/proto/<node>.proto; without a
name it is the folder that you are in.

Exit codes: 0 fine, 1 failed, 2 usage, 3 something is in the way, 4 the documents have errors (all
are listed), 5 something is missing on this machine, 8 a service broke the contract or failed its
task, 9 nobody answers there, 130 or 143 interrupted. An error says AE and a number that never
changes; with --json it is one JSON object on standard output.
`;

const planning = `  --registry HOST[/NAMESPACE]   put before the names of images
  --tag TAG                     tag of the images (latest)
  --digest NAME=sha256:...      pin an image; repeatable`;

const commands: Readonly<Record<string, string>> = {
  dev: `aieffect dev: runs a service, anew after every change, beside an orchestrator

Usage:
  aieffect dev [folder] [options]

Starts what the package's script "start" says, watches the sources, and shows every task as it goes:
from the service's log, from its own answers, and from an orchestrator that listens here. Ctrl-C
ends all of it.

Options:
  --command LINE             what starts the service, instead of its script "start"
  --port PORT                of the service, handed to it as PORT; 0 is a free one (PORT, else 8080)
  --orchestrator-port PORT   of the orchestrator (8000, or a free one where that is taken)
  --watch PATH               what is watched, repeatable (src, proto, services and the configuration
                             beside them; without these the folder itself)
  --json                     one JSON object a line for everything that happens

The service gets HOST (127.0.0.1), PORT and SELF_URL; what is set already stays. With
SERVICE_API_KEY set, its tasks are asked for with that key.

Exit codes: 0 ended with Ctrl-C, 2 usage, 5 nothing to start, or the port is taken

Examples:
  aieffect dev
  aieffect dev services/loader --port 8081
  aieffect dev --command 'uvicorn app:app --port $PORT' --watch app.py
`,
  try: `aieffect try: runs one operation of a service as an orchestrator would

Usage:
  aieffect try <Operation> [-i name=value] [-i name=@file] [-o file] [options]

Calls execute, follows the status to its end, asks for the output, and fetches the data that it
refers to, as the next service of a pipeline would: size and checksum have to be right.

Options:
  -i, --input NAME=VALUE     a parameter; numbers, true, false, lists and objects as in JSON. Repeatable
  -i, --input NAME=@FILE     data: a file of this machine. In order, repeatable
  -i, --input NAME=@URL      data that is somewhere already; NAME=@{...} is a whole DataReference
                             ;format=csv behind a name says what its ending does not; @@ is one @
  -o, --output FILE          where the data of the output goes (standard output)
  --url URL                  the service (http://localhost:8080, or the port that PORT says)
  --token WHERE              its key: env:NAME, file:PATH, or - for standard input
  --send HOW                 auto, inline, http or file (auto: inside the request up to 1 MiB, else
                             served from here over HTTP, as far as the operation takes it)
  --serve-host NAME          under which the service reaches this machine, as host.docker.internal
  --origin-map A=B           peers say http://svc:8080 or grpc://svc:50051, from here it is B; repeatable
  --proto FILE               what describes an output that is fetched over gRPC, where the service
                             itself does not tell by gRPC reflection; repeatable
  --timeout SECONDS          so long the task may take (3600)
  --json                     one JSON object on standard output instead

A message over gRPC is written as JSON, and as it travels into a file that ends with .pb or .bin. An
object in S3 is fetched with the AWS_ variables that services read.

A service that tells nothing of its operations gets parameters as an inline JSON input, because the
deployed orchestrator never sends any other. Ctrl-C cancels the task where the service can.

Exit codes: 0 complete, 2 usage, 8 the task failed or an answer broke the contract, 9 nobody answers
there or it asks for a key, 130 interrupted

Examples:
  aieffect try Mean -i data=@load.csv
  aieffect try Train -i epochs=5 -i data=@load.csv -o model.bin
  aieffect try ReadFeeder -i hours=48 -o readings.json
  aieffect try Train -i data=@load.txt;format=csv --url http://localhost:18081 --json
`,
  test: `aieffect test: would the deployed orchestrator work with this service?

Usage:
  aieffect test [url] [options]                  judge a service, in any language
  aieffect test list|explain|init|baseline|matrix|selftest|serve-fixtures ...

Without a URL it is the one of conformance.yaml, where there is one in this folder, else
http://localhost:8080, or the port that PORT says. What may be called is told by conformance.yaml,
else by all of conformance/*.yaml together, as generated services have them; without either only
what needs no valid call can be tested.

Options:
  --url URL                  the service; may stand without --url
  --spawn CMD                start it with this line of shell, and stop it in the end
  --claim PROFILES           what it says it is, as in core,concurrent: a gap is then told
  --case GLOB                only these: id, slug or profile, as T04, conc/**, auth
  --report KIND[=FILE]       console, json, junit, md, html, badge or ndjson; without a file on
                             standard output
  --json                     the report as JSON on standard output
  --out DIR                  all reports, and the evidence of what failed, into this folder
  and all others of aieffect-conformance: aieffect test help test

Exit codes: 0 conformant, but for what is known; 2 usage; 8 something fails, is not proven
(--require-proof), or the list of known failures is out of date; 9 nobody answers there; 1 the
harness broke; 130 interrupted

Examples:
  aieffect test
  aieffect test http://localhost:18081 --claim core,concurrent --report junit=report.xml
  aieffect test --spawn 'uvicorn app:app --port $PORT' --json
  aieffect test explain T04
`,
  add: `aieffect add: one more part of a generated service, or of a workspace of them

Usage:
  aieffect add operation <Name> [options]        (also: add method)
  aieffect add pipeline <name> [options]

An operation is src/operations/<name>.ts with a test and a conformance sample, the rpc in the proto,
and the registry anew. A pipeline is pipelines/<name>/ with connections.json, a compose file, a
README and a script that submits it, over services one after the other. What is there already stays
as it is, so that the same command twice is no change; all of it is written, or nothing.

Options of an operation:
  --style STYLE        sequential, concurrent, or service: as the other operations (service)
  --service FOLDER     the service (the one that you are in)

Options of a pipeline:
  --services LIST      in order, as in cleaner,forecaster.ForecastLoad; without an operation it is
                       the first one (all services of the workspace)
  --workspace FOLDER   where services/ is (the one that you are in; a service alone is one, too)

Options of both:
  --dry-run            only tell which files would change
  --diff               only show how they would change
  --json               one JSON object on standard output

Exit codes: 0 done, or there already; 2 an answer that cannot be; 3 something is in the way; 4 no
generated service; 5 could not be written, everything is as it was

Examples:
  aieffect add operation ForecastLoad
  aieffect add operation TrainModel --style concurrent --diff
  aieffect add pipeline day-ahead --services load-cleaner,load-forecaster
`,
  info: `aieffect info: this command, the machine, the project

Usage:
  aieffect info [folder] [--json]

Versions, the project's template and answers, its operations, and which of our packages it wants and
has. For reports of faults, --json has all of it.
`,
  why: `aieffect why: whose a file is

Usage:
  aieffect why <file> [--json]

  yours      never touched after creation
  managed    from the template; what you change stays when a later version is merged in
  derived    made from other files and rewritten; change those instead

aieffect.json of the project says it, by pattern; what no pattern names is yours. Of a managed file
it is also told whether you have changed it.

Exit codes: 0 told, 2 no such file, 4 no generated project around it

Examples:
  aieffect why src/gen/registry.ts
`,
  doctor: `aieffect doctor: what could be in the way

Usage:
  aieffect doctor [folder] [options]

Looks at Node, the package manager and Docker, the manifest, the merge base and the derived files of
the project, what is installed, the environment variables that services read, and the ports.

Options:
  --fix                install what is missing, rewrite what is derived, and look again
  --service URL        also ask that service: is it up, what is it, does the key fit?
  --token WHERE        its key: env:NAME, file:PATH, or - for standard input
  --json               one JSON object on standard output

Exit codes: 0 no failures (there may be warnings), 2 usage, 5 failures

Examples:
  aieffect doctor --fix
  aieffect doctor --service http://localhost:8080 --token env:SERVICE_API_KEY
`,
  check: `aieffect check: what is wrong with a use case, or with an export of anybody's

Usage:
  aieffect check [FOLDER or ZIP] [options]

Options:
  --profile NAME       portal, or ai4eu-strict for the older designer (portal)
  --align, --local     judge the use case as an export with these flags would
  --format FORMAT      text, json or sarif (text)
  --output FILE        write the report there

Exit codes: 0 no errors (there may be warnings), 4 errors

Examples:
  aieffect check use-cases/file_based_energy_pipeline
  aieffect check . --format sarif --output check.sarif
`,
  export: `aieffect export: the portal package of a use case

Usage:
  aieffect export [use case] [options]
  aieffect export compose [use case or export]     see: aieffect export compose --help

Options:
  --output FOLDER               where it goes (export/ in the use case)
  --overwrite                   replace what is there; it stays until the new one is whole
  --zip                         also the archive for the portal, beside the folder (export.zip)
  --profile NAME                portal, or ai4eu-strict for the older designer (portal)
  --align                       exported protos carry the upstream's message names
  --local                       dockerinfo for services on this machine: host.docker.internal and the host ports of docker-compose.yml
${planning}

The same input gives the same bytes. With an error nothing is written.

Examples:
  aieffect export use-cases/file_based_energy_pipeline --zip --overwrite
  aieffect export . --registry ghcr.io/my-institute --tag 1.2.0
`,
  "export compose": `aieffect export compose: a docker-compose.yml that goes with the export's dockerinfo

Usage:
  aieffect export compose [use case or export] [options]

An export names its images itself; building (--dev) and naming them takes the use case.

Options:
  --output FILE             where it goes (standard output)
  --overwrite               replace the file
  --dev                     build the images from the Dockerfiles below services/
  --context FOLDER          build context, relative to the use case, where the compose file goes (.)
  --control-base-port PORT  host port of the first control port (18081)
  --base-port PORT          host port of the first gRPC port (50051)
  --orchestrator            put the reference orchestrator in, at host port 18000
${planning}

Examples:
  aieffect export compose use-cases/file_based_energy_pipeline --output docker-compose.yml
  aieffect export compose . --dev --orchestrator
`,
  "build-script": `aieffect build-script: a script that builds a use case's images and tags them as its blueprint names them

Usage:
  aieffect build-script [use case] [options]

Options:
  --output FILE        where it goes (build_and_tag.sh in the use case)
  --overwrite          replace the file
${planning}
`,
  import: `aieffect import: a portal ZIP, an export folder or an older gRPC configuration as a use case

Usage:
  aieffect import <ZIP, folder or JSON file> [options]

Options:
  --output FOLDER      the new use case; its name becomes the pipeline's (the name of what is imported).
                       It has to be new: a use case has sources that no package brings back

Examples:
  aieffect import pipeline.zip --output use-cases/my_pipeline
  aieffect import workflow.json --output use-cases/old_workflow
`,
  graph: `aieffect graph: the pipeline as a drawing

Usage:
  aieffect graph [use case, export or ZIP] [options]

Options:
  --format FORMAT      mermaid or svg (mermaid)
  --output FILE        where it goes (standard output); .svg and .mmd tell the format

Examples:
  aieffect graph use-cases/file_based_energy_pipeline
  aieffect graph pipeline.zip --output pipeline.svg
`,
};

/** The help of a command, or the general one. */
export function helpOf(command: string | undefined): string {
  return commands[command ?? ""] ?? general;
}
