import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/replication/address.js';

describe('addresses', () => {
  it.each([
    ['localhost:7600', 'localhost', 7600],
    ['db-1.internal.example.:1', 'db-1.internal.example.', 1],
    ['10.0.0.1:65535', '10.0.0.1', 65_535],
    ['[::1]:7600', '::1', 7600],
    ['[fe80::1%eth0]:7600', 'fe80::1%eth0', 7600],
    ['my_host:0', 'my_host', 0],
  ])('%s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(formatAddress({ host, port })).toBe(text);
  });

  it.each([
    ['', 'the port is missing'],
    ['localhost', 'the port is missing'],
    [':7600', 'the host is missing'],
    ['localhost:', 'the port is not'],
    ['localhost:65536', 'the port is not'],
    ['localhost:-1', 'the port is not'],
    ['localhost:7600x', 'the port is not'],
    ['::1:7600', 'an IPv6 address is written'],
    ['[::1:7600', 'in the brackets'],
    ['[localhost]:7600', 'in the brackets'],
    ['10.0.0.256:7600', 'no host name'],
    ['10.0.0:7600', 'no host name'],
    ['a b:7600', 'no host name'],
    ['http://a:7600', 'an IPv6 address is written'],
  ])('%j is none: %s', (text, reason) => {
    expect(() => parseAddress(text)).toThrow(TypeError);
    expect(() => parseAddress(text)).toThrow(reason);
  });
});
