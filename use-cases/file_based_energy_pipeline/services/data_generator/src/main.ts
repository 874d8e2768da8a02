import { sequentialService, serve } from "@aieffect/service-kit";
import { inConfiguredStyle } from "../../../execution/style.ts";
import { generateData } from "./operation.ts";

await serve(sequentialService({ name: "data-generator", operations: [inConfiguredStyle(generateData)] }));
