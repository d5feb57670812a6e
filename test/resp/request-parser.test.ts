/** The parser of requests: the same requests whatever the pieces are that they come in, and Redis's errors for what is none. */
import { expect, test } from 'vitest';
import { RequestParser } from '../../src/resp/request-parser.js';
import { SeededRandom } from '../support/random.js';

const BULKS = [
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\0\r\n',
  '*1\r\n$4\r\nPING\r\n',
  '*2\r\n$3\r\nGET\r\n$0\r\n\r\n',
];
const CASES: readonly (readonly [name: string, text: string, requests: readonly (readonly string[])[]])[] = [
  ['arrays', BULKS.join(''), [['SET', 'k', 'a\r\nb\0'], ['PING'], ['GET', '']]],
  ['empty requests', '*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n', [['PING']]],
  ['inline commands', 'PING\r\nSET  k\tv \n\r\n\n  \r\n', [['PING'], ['SET', 'k', 'v']]],
  ['both by turns', `*1\r\n$1\r\na\r\nGET k\r\n*1\r\n$1\r\nb\r\n`, [['a'], ['GET', 'k'], ['b']]],
  ['quotes', 'SET k "a b\\n\\x41\\"\\q" \'it\\\'s \\n\'\r\n', [['SET', 'k', 'a b\nA"q', "it's \\n"]]],
  ['an empty quoted word', 'SET k ""\r\n', [['SET', 'k', '']]],
  ['a long bulk', `*2\r\n$3\r\nGET\r\n$70000\r\n${'x'.repeat(70_000)}\r\n`, [['GET', 'x'.repeat(70_000)]]],
];

function parse(pieces: readonly Buffer[]): string[][] {
  const parser = new RequestParser();
  const requests: string[][] = [];
  for (const piece of pieces) {
    parser.push(piece);
    for (let words = parser.next(); words !== undefined; words = parser.next()) {
      requests.push(words.map((word) => word.toString('latin1')));
    }
  }
  return requests;
}

test.each(CASES)('whole: %s', (_, text, requests) => {
  expect(parse([Buffer.from(text, 'latin1')])).toEqual(requests);
});

test.each(CASES)('byte by byte: %s', (_, text, requests) => {
  const pieces = [...Buffer.from(text, 'latin1')].map((byte) => Buffer.from([byte]));
  expect(parse(pieces)).toEqual(requests);
});

test.each([1, 2, 3, 4, 5])('in random pieces, seed %i', (seed) => {
  const random = new SeededRandom(seed);
  const word = () =>
    random.some(0, random.once(10) ? 9000 : 12, () => String.fromCharCode(random.below(256))).join('');
  const requests = random.some(100, 200, () => random.some(1, 6, word));
  const text = requests
    .map((words) => `*${words.length}\r\n${words.map((w) => `$${w.length}\r\n${w}\r\n`).join('')}`)
    .join('');
  const bytes = Buffer.from(text, 'latin1');
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(random.once(3) ? 5000 : 20);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  expect(parse(pieces)).toEqual(requests);
});

const ERRORS: readonly (readonly [text: string, reason: string])[] = [
  ['*1048577\r\n', 'invalid multibulk length'],
  ['*x\r\n', 'invalid multibulk length'],
  ['*01\r\n', 'invalid multibulk length'],
  ['*\r\n', 'invalid multibulk length'],
  ['*99999999999999999999\r\n', 'invalid multibulk length'],
  ['*1\r\n:1\r\n', "expected '$', got ':'"],
  ['*1\r\n\0', "expected '$', got ' '"],
  ['*1\r\n$-1\r\n', 'invalid bulk length'],
  ['*1\r\n$536870913\r\n', 'invalid bulk length'],
  ['*2\r\n$4\r\nECHO\r\n$\r\n', 'invalid bulk length'],
  ['*1\r\n$1\r\nab\r\n', 'expected CRLF behind a bulk'],
  ['*1\rx', 'expected CRLF at the end of a line'],
  ['SET k "a\r\n', 'unbalanced quotes in request'],
  ['SET k "a"b\r\n', 'unbalanced quotes in request'],
  ["SET k 'a\r\n", 'unbalanced quotes in request'],
  ['x'.repeat(65_537), 'too big inline request'],
  [`${'x'.repeat(65_537)}\r\n`, 'too big inline request'],
  [`*${'1'.repeat(65_537)}`, 'too big mbulk count string'],
  [`*1\r\n$${'1'.repeat(65_537)}`, 'too big bulk count string'],
];

test.each(ERRORS.map(([text, reason]) => [text.slice(0, 30), reason, text] as const))(
  '%j: %s',
  (_, reason, text) => {
    expect(() => parse([Buffer.from(text, 'latin1')])).toThrow(`Protocol error: ${reason}`);
    const pieces = [...text].map((byte) => Buffer.from(byte, 'latin1'));
    if (text.length < 100) expect(() => parse(pieces)).toThrow(reason);
  },
);

test('a request that grows too large is refused before it has come in', () => {
  const parser = new RequestParser();
  parser.push(Buffer.from('*3\r\n$3\r\nSET\r\n$1048576\r\n'));
  parser.push(Buffer.alloc(1_048_576));
  parser.push(Buffer.from('\r\n$536870912\r\n'));
  expect(() => parser.next()).toThrow('too big request');
});

test('a large bulk is waited for', () => {
  const parser = new RequestParser();
  parser.push(Buffer.from('*2\r\n$3\r\nGET\r\n$536870912\r\n'));
  expect(parser.next()).toBeUndefined();
  for (let i = 0; i < 100; i++) parser.push(Buffer.alloc(1000));
  expect(parser.next()).toBeUndefined();
});

test('random bytes end in requests or a refusal', () => {
  const random = new SeededRandom(7);
  const alphabet = '*$\r\n0123456789-"\'\\x abGET';
  for (let round = 0; round < 2000; round++) {
    const text = random.some(1, 60, () => random.pick([...alphabet])).join('');
    try {
      parse([Buffer.from(text, 'latin1')]);
    } catch (thrown) {
      expect(String(thrown)).toContain('Protocol error');
    }
  }
});
