import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { inConfiguredStyle, peerKeys } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { DataAnalyzerServiceService } from "../../../generated/data_analyzer.ts";
import { descriptors } from "../../../generated/descriptors.ts";
import { createAnalyzeData } from "./operation.ts";

const plane = createProtobufPlane({
  services: [DataAnalyzerServiceService],
  descriptors,
  peer_keys: peerKeys(),
});
const operations = [inConfiguredStyle(createAnalyzeData(plane))];
await serve(sequentialService({ name: "pb-data-analyzer", operations, planes: [plane] }));
