import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * A `Chunk` of aieffect.dataplane.v1 whose data is still to be filled in: the generated code copies the
 * bytes of a message several times over, which for these is most of the work.
 */
export function allocateChunk(length: number, offset: number): { message: Buffer; data: Buffer } {
  const before = new BinaryWriter().tag(1, WireType.LengthDelimited).uint32(length).finish();
  const behind =
    offset === 0 ? new Uint8Array() : new BinaryWriter().tag(2, WireType.Varint).uint64(offset).finish();
  const message = Buffer.allocUnsafe(before.length + length + behind.length);
  message.set(before);
  message.set(behind, before.length + length);
  return { message, data: message.subarray(before.length, before.length + length) };
}

/** The data and offset of a `Chunk`, where they lie in its message. @throws Error for bytes that are none */
export function readChunk(message: Buffer): { data: Buffer; offset: number } {
  const reader = new BinaryReader(message);
  let data = message.subarray(0, 0);
  let offset = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) {
      const { buffer, byteOffset, byteLength } = reader.bytes();
      data = Buffer.from(buffer, byteOffset, byteLength);
    } else if (field === 2 && wireType === WireType.Varint) offset = Number(reader.uint64());
    else reader.skip(wireType, field);
  }
  return { data, offset };
}
