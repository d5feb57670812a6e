import { isIP, isIPv6 } from 'node:net';

/** Where a peer listens. */
export interface Address {
  /** A name, an IPv4 or an IPv6 address, the latter without brackets. */
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i;
const allNumbers = /^[0-9.]+$/;

/**
 * Reads `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`. Port 0, any free one, is for listening only.
 *
 * @throws TypeError if `text` is no address, with the reason.
 */
export function parseAddress(text: string): Address {
  const bad = (reason: string): TypeError => new TypeError(`address ${JSON.stringify(text)}: ${reason}`);
  if (typeof text !== 'string') throw bad('not a string');
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(text);
  const colon = text.lastIndexOf(':');
  if (bracketed === null && colon < 0) throw bad('the port is missing, expected host:port');
  const host = bracketed?.[1] ?? text.slice(0, colon);
  const port = bracketed?.[2] ?? text.slice(colon + 1);
  if (bracketed !== null ? !isIPv6(host) : host.includes('[')) throw bad('no IPv6 address in the brackets');
  if (bracketed === null && host.includes(':')) throw bad('an IPv6 address is written [address]:port');
  if (host === '') throw bad('the host is missing, expected host:port');
  if (isIP(host) === 0 && (allNumbers.test(host) || !hostName.test(host)))
    throw bad('no host name or IP address');
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > PORT_MAX) throw bad(`the port is not 0 to ${PORT_MAX}`);
  return { host, port: Number(port) };
}

/** The text that {@link parseAddress} reads. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
