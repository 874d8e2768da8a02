import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { inConfiguredStyle, peerKeys } from "@aieffect/energy-services";
import { sequentialService, serve } from "@aieffect/service-kit";
import { DataGeneratorServiceService } from "../../../generated/data_generator.ts";
import { descriptors } from "../../../generated/descriptors.ts";
import { createGenerateData } from "./operation.ts";

const plane = createProtobufPlane({
  services: [DataGeneratorServiceService],
  descriptors,
  peer_keys: peerKeys(),
});
const operations = [inConfiguredStyle(createGenerateData(plane))];
await serve(sequentialService({ name: "pb-data-generator", operations, planes: [plane] }));
