import { inConfiguredStyle } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { generateData } from "./operation.ts";

await serve(sequentialService({ name: "data-generator", operations: [inConfiguredStyle(generateData)] }));
