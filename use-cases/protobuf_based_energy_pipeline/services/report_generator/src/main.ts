import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { inConfiguredStyle, peerKeys } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { descriptors } from "../../../generated/descriptors.ts";
import { ReportGeneratorServiceService } from "../../../generated/report_generator.ts";
import { createGenerateReport } from "./operation.ts";

const plane = createProtobufPlane({
  services: [ReportGeneratorServiceService],
  descriptors,
  peer_keys: peerKeys(),
});
const operations = [inConfiguredStyle(createGenerateReport(plane))];
await serve(sequentialService({ name: "pb-report-generator", operations, planes: [plane] }));
