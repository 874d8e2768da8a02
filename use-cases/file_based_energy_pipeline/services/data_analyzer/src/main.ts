import { inConfiguredStyle } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { analyzeData } from "./operation.ts";

await serve(sequentialService({ name: "data-analyzer", operations: [inConfiguredStyle(analyzeData)] }));
