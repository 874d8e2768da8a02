import { sequentialService, serve } from "@aieffect/service-kit";
import { inConfiguredStyle } from "../../../execution/style.ts";
import { analyzeData } from "./operation.ts";

await serve(sequentialService({ name: "data-analyzer", operations: [inConfiguredStyle(analyzeData)] }));
