import { peerKeys } from "@aieffect/energy-services";
import { expect, it } from "vitest";

it.each([
  [{}, {}],
  [{ SERVICE_API_KEY: "k3y" }, {}],
  [{ PEER_HOSTS: "pb-data-analyzer" }, {}],
  [{ SERVICE_API_KEY: " ", PEER_HOSTS: "pb-data-analyzer" }, {}],
  [
    { SERVICE_API_KEY: "k3y", PEER_HOSTS: "pb-data-generator, 127.0.0.1:50051,," },
    { "pb-data-generator": "k3y", "127.0.0.1:50051": "k3y" },
  ],
])("shows the key of %j to the hosts that are listed", (env, keys) => {
  expect(peerKeys(env)).toEqual(keys);
});

it("refuses what is no host", () => {
  expect(() => peerKeys({ PEER_HOSTS: "a,http://b" })).toThrow(
    'Expected PEER_HOSTS to be hosts separated by commas, found "http://b" among them',
  );
});
