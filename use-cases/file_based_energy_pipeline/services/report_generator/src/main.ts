import { inConfiguredStyle } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { generateReport } from "./operation.ts";

await serve(sequentialService({ name: "report-generator", operations: [inConfiguredStyle(generateReport)] }));
