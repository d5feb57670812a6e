/** RDB files made by hand. */

const POLYNOMIAL = 0x95ac9329ac4bc9b5n;

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? POLYNOMIAL : 0n);
  return crc;
});

/** The format's checksum. */
export function checksum(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) crc = (TABLE[Number((crc ^ BigInt(byte)) & 0xffn)] ?? 0n) ^ (crc >> 8n);
  return crc;
}

/** Puts the checksum behind the bytes. */
export function sealed(bytes: Buffer): Buffer {
  const footer = Buffer.alloc(8);
  footer.writeBigUInt64LE(checksum(bytes));
  return Buffer.concat([bytes, footer]);
}

/** A string of less than 64 bytes. */
export function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** A file of these records. */
export function file(...records: Buffer[]): Buffer {
  return sealed(Buffer.concat([Buffer.from('REDIS0010'), ...records, Buffer.of(0xff)]));
}

/** A key with a string. */
export function stringKey(key: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), text(key), text(value)]);
}

/** A file with a key of every plain type. */
export function smallFile(): Buffer {
  const score = Buffer.alloc(8);
  score.writeDoubleLE(1.5);
  return file(
    Buffer.concat([Buffer.of(0xfa), text('redis-ver'), text('7.0.15')]),
    Buffer.of(0xfe, 0, 0xfb, 5, 0),
    stringKey('s', 'value'),
    Buffer.concat([Buffer.of(1), text('l'), Buffer.of(2), text('a'), text('b')]),
    Buffer.concat([Buffer.of(2), text('set'), Buffer.of(1), text('m')]),
    Buffer.concat([Buffer.of(4), text('h'), Buffer.of(1), text('f'), text('v')]),
    Buffer.concat([Buffer.of(5), text('z'), Buffer.of(1), text('m'), score]),
  );
}
