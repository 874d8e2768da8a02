const general = `aieffect: from a use case to its portal package and deployment, and back

Usage:
  aieffect check [use case or export]            what is wrong, with file and line
  aieffect export [use case]                     blueprint, dockerinfo, protos, ZIP for the portal
  aieffect export compose [use case or export]   a docker-compose.yml for the same services
  aieffect build-script [use case]               a script that builds and tags the images
  aieffect import <ZIP, export or gRPC config>   back to a use case
  aieffect graph [use case or export]            the pipeline as a drawing
  aieffect <command> --help

A use case is a folder with connections.json and services/<node>/proto/<node>.proto; without a
name it is the folder that you are in.

Exit codes: 0 fine, 1 failed, 2 usage, 4 the documents have errors (all are listed), 130 or 143 interrupted
`;

const planning = `  --registry HOST[/NAMESPACE]   put before the names of images
  --tag TAG                     tag of the images (latest)
  --digest NAME=sha256:...      pin an image; repeatable`;

const commands: Readonly<Record<string, string>> = {
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
