/** Bytes of a client that are no request. The connection has to end. */
export class ProtocolError extends Error {
  constructor(reason: string) {
    super(`Protocol error: ${reason}`);
  }
}
