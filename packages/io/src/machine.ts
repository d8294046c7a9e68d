/** Which machine's network this process is in: who says the same may connect directly. */
import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'

const hashOf = (...words: string[]) => createHash('sha256').update(words.join('\n')).digest('hex')

/**
 * Hash of the kernel's boot and the network namespace; undefined where this machine does not tell. Numbers of namespaces mean something
 * only within one boot. `network`: what somebody calls a network that several share, such as that of a cluster's pods.
 */
export async function machineId(network?: string): Promise<string | undefined> {
  if (network) return hashOf('kalnet-network', network)
  try {
    const [boot, space] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/net'),
    ])
    return hashOf('kalnet-machine', boot.trim(), space)
  } catch {
    // Without /proc nobody shares it with us as far as we know: everything goes through the control plane.
    return undefined
  }
}
