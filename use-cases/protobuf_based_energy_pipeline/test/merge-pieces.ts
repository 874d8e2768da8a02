import { AnalyzeDataResponse } from "../generated/data_analyzer.ts";

/** The pieces of a message as one, as protobuf merges them: one after the other on the wire. */
export function mergePieces(pieces: readonly AnalyzeDataResponse[]): AnalyzeDataResponse {
  const encoded = pieces.map((piece) => AnalyzeDataResponse.encode(piece).finish());
  return AnalyzeDataResponse.decode(Buffer.concat(encoded));
}
