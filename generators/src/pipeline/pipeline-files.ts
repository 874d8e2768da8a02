import type { PipelineNode } from "./pipeline-generator.ts";

const first_host_port = 18081;

/** A compose file whose hosts and images are those of the export. */
export function composeFile(name: string, nodes: readonly PipelineNode[]): string {
  const services = nodes.map(
    ({ service, folder, data }, index) => `
  ${service}:
    image: ${name}-${service}:latest
    build: ../../${folder}
    restart: unless-stopped
    networks: [ai-effect-services]
    ports: ["${first_host_port + index}:8080"]
    volumes:
      - ${service}-data:/app/data
    environment:
      SELF_URL: http://${service}:8080
${data === "protobuf" ? `      GRPC_HOST: ${service}\n` : ""}      SERVICE_API_KEY: \${SERVICE_API_KEY:-}
      LOG_LEVEL: \${LOG_LEVEL:-info}
    healthcheck:
      test:
        [
          "CMD",
          "node",
          "-e",
          "fetch('http://127.0.0.1:8080/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))",
        ]
      interval: 10s
      timeout: 3s
      start_period: 5s
      retries: 3
`,
  );
  return `# On the network that services share with the orchestrator: docker network create ai-effect-services
name: ${name}

services:${services.join("")}
networks:
  ai-effect-services:
    external: true

volumes:
${nodes.map(({ service }) => `  ${service}-data:\n`).join("")}`;
}

/** What the pipeline does and how it is run. */
export function pipelineReadme(name: string, nodes: readonly PipelineNode[]): string {
  return `# ${name}

\`\`\`
${nodes.map(({ service, operation }) => `${service}.${operation}`).join(" -> ")}
\`\`\`

Each service is handed the output of the one before it; the first gets the input of the workflow.

\`\`\`sh
npx aieffect check pipelines/${name}
npx aieffect export pipelines/${name}
\`\`\`

writes \`pipelines/${name}/export/\`, which the portal imports. With Docker and an orchestrator on the network \`ai-effect-services\`:

\`\`\`
docker network create ai-effect-services
docker compose -f pipelines/${name}/compose.yaml up --build --detach
node pipelines/${name}/submit.mjs input.csv
\`\`\`

\`submit.mjs\` sends a file along as the input, follows the workflow and prints where its outputs are. \`ORCHESTRATOR_URL\` (http://localhost:18000), \`ORCHESTRATOR_API_KEY\` and \`SERVICE_API_KEY\` say where to and with which keys.

Without Docker, start every service in its folder, each on a port of its own (\`PORT=8081 npm start\`). In a copy of \`pipelines/${name}/export/dockerinfo.json\` give every container the \`ip_address\` \`127.0.0.1\` and its \`port\`, and run

\`\`\`
npx aieffect-orchestrator run pipelines/${name}/export/blueprint.json dockerinfo.json --input inline:input.csv
\`\`\`

\`services/*/proto\` are copies of the services' protos; \`aieffect add pipeline ${name} --services ${nodes.map(({ service, operation }) => `${service}.${operation}`).join(",")}\` renews them.
`;
}

/** Submits the pipeline with a file as its input, and follows it. Node alone, no packages. */
export function submitScript(name: string): string {
  return `/** Submits this pipeline with a file as its input, and follows it: node submit.mjs input.csv */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const { ORCHESTRATOR_URL = "http://localhost:18000", ORCHESTRATOR_API_KEY, SERVICE_API_KEY } = process.env;
const name = "${name}";
const here = (path) => new URL(path, import.meta.url);
const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("Expected a file to start with: node submit.mjs input.csv");
  process.exit(2);
}
const readExport = async (document) => {
  try {
    return JSON.parse(await readFile(here(\`export/\${document}\`), "utf8"));
  } catch (error) {
    console.error(\`Expected export/\${document}, found: \${error.message}; make it:\`);
    console.error(\`npx aieffect export pipelines/\${name}\`);
    return process.exit(2);
  }
};
const submission = {
  blueprint: await readExport("blueprint.json"),
  dockerinfo: await readExport("dockerinfo.json"),
  inputs: [
    {
      protocol: "inline",
      uri: (await readFile(file)).toString("base64"),
      format: extname(file).slice(1).toLowerCase() || "binary",
    },
  ],
  ...(SERVICE_API_KEY && { services_api_key: SERVICE_API_KEY }),
};

async function call(path, body) {
  const answer = await fetch(new URL(path, ORCHESTRATOR_URL), {
    method: body === undefined ? "GET" : "POST",
    headers: {
      "content-type": "application/json",
      ...(ORCHESTRATOR_API_KEY && { authorization: \`Bearer \${ORCHESTRATOR_API_KEY}\` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(\`\${ORCHESTRATOR_URL}\${path} answered \${answer.status}: \${text}\`);
  return JSON.parse(text);
}

const { workflow_id } = await call("/workflows", submission);
let workflow;
do {
  await pause(500);
  workflow = await call(\`/workflows/\${workflow_id}\`);
} while (!["completed", "failed"].includes(workflow.status));
const { tasks } = await call(\`/workflows/\${workflow_id}/tasks\`);
for (const { node_key, status, output_refs } of tasks) {
  const outputs = (output_refs ?? []).map(({ protocol, uri }) => (protocol === "inline" ? protocol : uri));
  console.log(status, node_key, ...outputs);
}
if (workflow.status === "failed") {
  console.error(workflow.error);
  process.exit(1);
}
`;
}
