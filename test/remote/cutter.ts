import { connect, createServer, type Server, type Socket } from 'node:net';

/** Passes a connection on, up to so many bytes in one direction; then cuts it. */
export async function cutter(to: string, direction: 'up' | 'down', bytes: number) {
  const [host = '', port = ''] = to.split(':');
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server: Server = createServer((near) => {
    const far = connect(Number(port), host);
    let left = cuts === 0 ? bytes : Number.POSITIVE_INFINITY;
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    const pass = (from: Socket, into: Socket, counted: boolean): void => {
      from.on('data', (chunk: Buffer) => {
        if (!counted || chunk.length <= left) {
          if (counted) left -= chunk.length;
          into.write(chunk);
          return;
        }
        into.write(chunk.subarray(0, left), end);
        cuts++;
      });
      from.on('error', end).on('close', end);
    };
    pass(near, far, direction === 'up');
    pass(far, near, direction === 'down');
    for (const socket of [near, far]) sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const ownPort = typeof address === 'object' ? address?.port : 0;
  return {
    address: `127.0.0.1:${ownPort}`,
    get cuts() {
      return cuts;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
