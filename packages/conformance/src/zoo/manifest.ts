import { parseManifest, samplesOf } from "../target/manifest.ts";
import type { Sample } from "../target/sample.ts";

/** The manifest of the pristine service: all that the suite can be given. */
export const pristineManifest = `
methods:
  Echo:
    mode: sequential
    samples:
      a: { inputs: [{ protocol: inline, uri: !json { x: 1 }, format: json }], parameters: { k: 1 } }
      b: { inputs: [{ protocol: inline, uri: !json { x: 2 }, format: json }], parameters: { k: 2 } }
      fail: { inputs: [{ protocol: inline, uri: !b64 "no JSON", format: json }] }
      slow: { parameters: { ms: 2200 }, expect-at-least: 2s }
  Load:
    mode: sequential
    feeds: [Echo]
    samples:
      a: { inputs: [{ protocol: inline, uri: !json { x: 3 }, format: json }] }
      b: { inputs: [{ protocol: inline, uri: !json { x: 4 }, format: json }] }
  Save:
    mode: sequential
    samples:
      a: { inputs: [{ protocol: inline, uri: !json { x: 5 }, format: json }] }
      b: { inputs: [{ protocol: inline, uri: !json { x: 7 }, format: json }] }
  Sink:
    mode: sequential
    sink: true
    samples:
      a: { inputs: [{ protocol: inline, uri: !json { x: 6 }, format: json }] }
  Train:
    mode: concurrent
    feeds: [Echo]
    max-duration: 10s
    samples:
      a: { parameters: { ms: 100, k: 1 } }
      b: { parameters: { ms: 100, k: 2 } }
      fail: { parameters: { ms: 100, fail: true } }
      slow: { parameters: { ms: 2200, k: 3 }, expect-at-least: 2s }
      lasting: { parameters: { ms: 40000, steps: 1 }, expect-at-least: 40s }
`;

/** Its samples. */
export function pristineSamples(): Sample[] {
  return samplesOf(parseManifest(pristineManifest), () => "either");
}
