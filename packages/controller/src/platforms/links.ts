/** Where the links of an instance are found inside: each has a loopback address of its own, so two may have one port number. */
import type { Address, Link } from '@kalnet/contracts/instance'

/** 127.0.0.1 is the instance's own programs'. */
const FIRST = 2

/** By the names of the links, in their order; the same for the same links, also after a restart of ours. */
export const linkPlaces = (links: readonly Link[]): Record<string, Address> =>
  Object.fromEntries(links.map(({ name, port }, index) => [name, { host: `127.0.0.${FIRST + index}`, port }]))

/** hosts(5), the whole file. */
export const hostsFile = (hostname: string, links: readonly Link[]): string =>
  [
    `127.0.0.1 localhost ${hostname}`,
    ...Object.entries(linkPlaces(links)).map(([name, { host }]) => `${host} ${name}`),
    '',
  ].join('\n')
