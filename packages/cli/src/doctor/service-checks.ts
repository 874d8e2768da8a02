import { ControlClient, ControlError } from "@aieffect/control-interface";
import type { Check, Checked } from "./check.ts";

/** Whether a service answers, what it is, and whether the key fits. */
export function serviceChecks(service: URL, token: string | undefined): Check[] {
  return [
    {
      async run() {
        const client = new ControlClient({
          base_url: service.origin,
          call_timeout_ms: 5000,
          ...(token !== undefined && { api_key: token }),
        });
        try {
          return await ask(client, service.origin);
        } finally {
          client.close();
        }
      },
    },
  ];
}

async function ask(client: ControlClient, origin: string): Promise<Checked[]> {
  try {
    await client.health();
  } catch (error) {
    const fix = "aieffect dev, or another --service";
    return [{ check: "service", status: "failure", found: (error as Error).message, fix }];
  }
  const alive: Checked = { check: "service", status: "ok", found: `${origin} answers /health` };
  try {
    const { operations, extensions } = await client.operations();
    const names = operations.map(({ name }) => name).join(", ");
    return [
      alive,
      { check: "operations", status: "ok", found: `${names || "none"}; additions: ${extensions.join(", ")}` },
    ];
  } catch (error) {
    return [alive, toChecked(error as Error)];
  }
}

function toChecked(error: Error): Checked {
  const { code, peer_status } = error instanceof ControlError ? error : {};
  if (peer_status === 401) {
    const found = "the service asks for a key, or for another one";
    return { check: "operations", status: "failure", found, fix: "--token env:SERVICE_API_KEY" };
  }
  if (code === "peer_refused" || code === "invalid_reply") {
    return { check: "operations", status: "skipped", found: "the service tells nothing of its operations" };
  }
  return { check: "operations", status: "failure", found: error.message };
}
