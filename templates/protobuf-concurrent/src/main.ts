import { serve } from "@aieffect/service-kit";
import { createService } from "./service.ts";

await serve(createService());
