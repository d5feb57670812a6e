/**
 * A process with one link, for tests that stop and kill it. Arguments: member id and the list of peers as JSON. It
 * sends back each request as its length. On SIGTERM it closes the link and does nothing else: it must then end by
 * itself.
 */
import { encodeFrame, FrameKind } from '../../src/replication/frame.js';
import { Link } from '../../src/replication/link.js';
import { helloOf } from './hello.js';

const self = Number(process.argv[2]);
const hello = helloOf(self);
const link = new Link({
  self,
  peers: JSON.parse(process.argv[3] ?? '[]'),
  secret: 's',
  random: () => 0.5,
  hello: () => hello,
  judge: () => undefined,
  onFrame: (from, frame) => {
    if (frame.kind !== FrameKind.propose) return;
    link.send(from, 'control', encodeFrame(FrameKind.proposeReply, 0, Buffer.from(`${frame.body.length}`)));
  },
  onUp: () => console.log('up'),
  onDown: () => {},
  onRefused: () => {},
  limits: { linkRetryMsMax: 50 },
});
await link.start();
process.once('SIGTERM', () => {
  void link
    .close()
    // The handle of a closed server is released in the turn that says so.
    .then(() => setImmediate(() => console.log(JSON.stringify(process.getActiveResourcesInfo()))));
});
