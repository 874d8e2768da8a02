import { inConfiguredStyle } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { getConfiguration } from "./operation.ts";

const operations = [inConfiguredStyle(getConfiguration)];
await serve(sequentialService({ name: "pb-input-provider", operations }));
