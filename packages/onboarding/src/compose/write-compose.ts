import { posix } from "node:path";
import { Document, isMap, isPair, isScalar, isSeq, Scalar, visit } from "yaml";
import {
  type ComposeModel,
  type ComposeOptions,
  type ComposeService,
  type Deployment,
  planCompose,
} from "./compose-model.ts";

/** The network that services of all use cases share. */
const network = "ai-effect-services";

/** The text of a docker-compose.yml that goes with the plan's dockerinfo. @throws RangeError when ports or hosts clash */
export function writeCompose(plan: Deployment, options: ComposeOptions = {}): string {
  const model = planCompose(plan, options);
  const { services, options: chosen } = model;
  const document = new Document({
    name: model.name,
    services: Object.fromEntries([
      ...services.map((service) => [service.host, serviceOf(service, chosen)]),
      ...(chosen.orchestrator ? [["orchestrator", orchestrator]] : []),
    ]),
    networks: { [network]: { external: true } },
  });
  document.commentBefore = headOf(model);
  quotePorts(document);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function headOf({ elsewhere, options, services }: ComposeModel): string {
  const unbuilt = options.dev ? services.filter(({ dockerfile }) => dockerfile === undefined) : [];
  const lines = [
    ` The pipeline's services, under the names and ports of its dockerinfo.json.`,
    ` Once per machine: docker network create ${network}`,
    options.dev ? " Start: docker compose up -d --build --wait" : " Start: docker compose up -d --wait",
    ...elsewhere.map(
      ({ container_name, ip_address }) => ` Not here: ${container_name}, which answers at ${ip_address}.`,
    ),
    ...unbuilt.map(({ host }) => ` Not built: ${host}, which has no Dockerfile; its image has to be there.`),
  ];
  return lines.join("\n");
}

function serviceOf(service: ComposeService, { dev, context, prefix }: Required<ComposeOptions>) {
  const { host, image, dockerfile, control_port, host_control_port } = service;
  const { grpc_port, host_grpc_port, depends_on } = service;
  const conditions = depends_on.map((name) => [name, { condition: "service_healthy" }]);
  return {
    ...(dev &&
      dockerfile !== undefined && { build: { context, dockerfile: posix.join(prefix, dockerfile) } }),
    // Compose puts variables where it sees a dollar sign.
    image: image.replaceAll("$", "$$$$"),
    restart: "unless-stopped",
    ...(conditions.length > 0 && { depends_on: Object.fromEntries(conditions) }),
    environment: {
      SERVICE_NAME: host,
      HOST: "0.0.0.0",
      PORT: String(control_port),
      SELF_URL: `http://${host}:${control_port}`,
      GRPC_PORT: String(grpc_port),
      GRPC_HOST: host,
      DATA_DIR: "/app/data",
      SERVICE_API_KEY: passedThrough("SERVICE_API_KEY"),
    },
    ports: [`${host_control_port}:${control_port}`, `${host_grpc_port}:${grpc_port}`],
    networks: [network],
    volumes: ["./data:/app/data"],
    healthcheck: healthCheck(control_port),
  };
}

const orchestrator = {
  image: "aieffect-orchestrator:latest",
  restart: "unless-stopped",
  environment: { HOST: "0.0.0.0", PORT: "8000", ORCHESTRATOR_API_KEY: passedThrough("ORCHESTRATOR_API_KEY") },
  ports: ["18000:8000"],
  networks: [network],
  healthcheck: healthCheck(8000),
};

/** What the variable is where compose is called; empty where it is not set. */
function passedThrough(variable: string): string {
  return `\${${variable}:-}`;
}

/** Whatever the image has asks: node, Python, wget or curl. Without any of them nobody can. */
function healthCheck(port: number) {
  const url = `http://127.0.0.1:${port}/health`;
  const asks = [
    ["node", `node -e "fetch('${url}').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"`],
    ["python3", `python3 -c "import urllib.request as u; u.urlopen('${url}', timeout=2)"`],
    ["wget", `wget -q -O /dev/null ${url}`],
    ["curl", `curl -fsS -o /dev/null ${url}`],
  ];
  const branches = asks.map(
    ([program, command]) => `if command -v ${program} >/dev/null; then ${command}; el`,
  );
  return {
    test: ["CMD-SHELL", `${branches.join("")}se exit 1; fi`],
    interval: "10s",
    timeout: "5s",
    start_period: "10s",
    retries: 6,
  };
}

/** YAML 1.1 readers take 22:22 for a number in base 60, and compose wants texts in environments. */
function quotePorts(document: Document): void {
  visit(document, (_key, node) => {
    if (!isPair(node) || !isScalar(node.key)) return;
    const { key, value } = node;
    if (key.value === "ports" && isSeq(value)) for (const item of value.items) quote(item);
    if (key.value === "environment" && isMap(value)) for (const item of value.items) quote(item.value);
  });
}

function quote(node: unknown): void {
  if (isScalar(node)) node.type = Scalar.QUOTE_DOUBLE;
}
