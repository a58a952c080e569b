import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';
import { InputError } from '../../errors.js';
import type { Rendezvous } from '../../tensor/index.js';
import type { Environment } from './launcher.js';

/**
 * The address at which this host is reached by the others: that of the interface which GLOO_SOCKET_IFNAME names, as with
 * PyTorch; else that from which the way to the first process goes.
 * @throws InputError where there is none
 */
export async function ownAddress(
  rendezvous: Rendezvous,
  { isOneHost, env = process.env }: { isOneHost: boolean; env?: Environment },
): Promise<string> {
  const name = env.GLOO_SOCKET_IFNAME;
  if (name !== undefined) {
    const address = networkInterfaces()[name]?.find(({ family }) => family === 'IPv4')?.address;
    if (address !== undefined) return address;
    throw new InputError(
      `GLOO_SOCKET_IFNAME is '${name}', but this host has no interface of that name with an IPv4 address`,
    );
  }
  if (isOneHost) return '127.0.0.1';
  const host = rendezvous.kind === 'tcp' ? rendezvous.host : hostname();
  const { address: target, family } = await addressOf(host);
  const toward = await addressToward(target, family);
  if (!isLoopback(toward) || isLoopback(host) || host === 'localhost') return toward;
  // Many systems give their own name a loopback address, which is of no use to other hosts.
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family: kind }) => !internal && kind === 'IPv4');
  if (others.length === 1) return others[0].address;
  throw new InputError(
    `${host} is ${toward} on this host, which other hosts cannot reach: set GLOO_SOCKET_IFNAME to the network interface to use`,
  );
}

const isLoopback = (address: string) => address.startsWith('127.') || address === '::1';

/** @throws InputError where the host of the first process has no address */
export async function addressOf(host: string): Promise<{ address: string; family: number }> {
  try {
    return await lookup(host);
  } catch (error) {
    throw new InputError(
      `the host of the first process, ${host}, has no address (${(error as Error).message}): set MASTER_ADDR to its address, or to a name that is known here`,
    );
  }
}

/** The address that packets to another one are sent from; none is sent. */
function addressToward(address: string, family: number): Promise<string> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  return new Promise((done, failed) => {
    socket.once('error', (error) => {
      socket.close();
      failed(
        new InputError(
          `there is no way from this host to the first process at ${address} (${error.message}): check MASTER_ADDR and the network`,
        ),
      );
    });
    socket.connect(9, address, () => {
      done(socket.address().address);
      socket.close();
    });
  });
}
