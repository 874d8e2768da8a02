import { inConfiguredStyle } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { getConfiguration } from "./operation.ts";

await serve(sequentialService({ name: "input-provider", operations: [inConfiguredStyle(getConfiguration)] }));
