import { sequentialService, serve } from "@aieffect/service-kit";
import { inConfiguredStyle } from "../../../execution/style.ts";
import { getConfiguration } from "./operation.ts";

await serve(sequentialService({ name: "input-provider", operations: [inConfiguredStyle(getConfiguration)] }));
