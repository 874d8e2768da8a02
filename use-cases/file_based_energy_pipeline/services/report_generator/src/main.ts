import { sequentialService, serve } from "@aieffect/service-kit";
import { inConfiguredStyle } from "../../../execution/style.ts";
import { generateReport } from "./operation.ts";

await serve(sequentialService({ name: "report-generator", operations: [inConfiguredStyle(generateReport)] }));
