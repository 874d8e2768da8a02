import type { AnalyzeDataResponse } from "../generated/data_analyzer.ts";
import { AnalyzeDataResponse as Codec } from "../generated/data_analyzer.ts";

/** The pieces of a message as one, as protobuf merges them: one after the other on the wire. */
export function mergePieces(pieces: readonly AnalyzeDataResponse[]): AnalyzeDataResponse {
  return Codec.decode(Buffer.concat(pieces.map((piece) => Codec.encode(piece).finish())));
}
