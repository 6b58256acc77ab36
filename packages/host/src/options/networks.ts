/**
 * Networks in CIDR notation (`10.0.0.0/8`, `fd00::/8`, or one address), and whether an address is in one.
 * Node's `net.BlockList` does the matching for text; datagrams come as bytes in the arena and are matched
 * here without creating strings.
 */
import { isIP } from 'node:net';
import { HostError } from '../errors.ts';

/** Survives `postMessage`. */
export interface Network {
  /** 4 or 16 address bytes. */
  readonly bytes: readonly number[];
  readonly prefixBits: number;
}

/** The loopback networks, which UDP always answers. */
export const LOOPBACK_NETWORKS: readonly Network[] = [
  { bytes: [127, 0, 0, 0], prefixBits: 8 },
  { bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], prefixBits: 128 },
];

function addressBytes(address: string): number[] {
  if (isIP(address) === 4) return address.split('.').map(Number);
  // An embedded IPv4 part (::ffff:1.2.3.4) becomes two groups first.
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    dotted === null
      ? address
      : `${dotted[1]}${(Number(dotted[2]) * 256 + Number(dotted[3])).toString(16)}:${(
          Number(dotted[4]) * 256 + Number(dotted[5])
        ).toString(16)}`;
  const [head = '', tail] = text.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const groups = [...front, ...new Array<string>(zeros).fill('0'), ...back].map((group) =>
    Number.parseInt(group, 16),
  );
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

export function parseNetwork(option: string, text: string): Network {
  const [address = '', prefix, ...rest] = text.trim().split('/');
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const prefixBits = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (family === 0 || address.includes('%') || rest.length > 0 || prefixBits < 0 || prefixBits > bits) {
    throw new HostError(
      'OPTION',
      `${option}: ${JSON.stringify(text)} is not a network such as 10.0.0.0/8 or fd00::/8`,
      { option },
    );
  }
  return { bytes: addressBytes(address), prefixBits };
}

/** Whether the address at `offset` of `memory` (4 or 16 bytes) lies in `network`; families never match each other. */
export function networkContains(
  network: Network,
  memory: Uint8Array,
  offset: number,
  addressLength: number,
): boolean {
  if (network.bytes.length !== addressLength) return false;
  const whole = network.prefixBits >> 3;
  for (let index = 0; index < whole; index++) {
    if (network.bytes[index] !== memory[offset + index]) return false;
  }
  const restBits = network.prefixBits & 7;
  if (restBits === 0) return true;
  const mask = (0xff << (8 - restBits)) & 0xff;
  return (network.bytes[whole]! & mask) === (memory[offset + whole]! & mask);
}

/**
 * Whether `source` may be answered. An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) counts as that IPv4
 * address, so that a rule holds on a dual-stack socket as well.
 */
export function isAddressAllowed(
  networks: readonly Network[],
  memory: Uint8Array,
  offset: number,
  family: number,
): boolean {
  let start = offset;
  let length = family === 4 ? 4 : 16;
  if (length === 16 && isMapped(memory, offset)) {
    start = offset + 12;
    length = 4;
  }
  for (const network of networks) {
    if (networkContains(network, memory, start, length)) return true;
  }
  return false;
}

function isMapped(memory: Uint8Array, offset: number): boolean {
  for (let index = 0; index < 10; index++) {
    if (memory[offset + index] !== 0) return false;
  }
  return memory[offset + 10] === 0xff && memory[offset + 11] === 0xff;
}
