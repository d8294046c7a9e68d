/** Which machine's network this process is in: who says the same may connect directly. */
import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'

/** Hash of the kernel's boot and the network namespace; undefined where this machine does not tell. Numbers of namespaces mean something only within one boot. */
export async function machineId(): Promise<string | undefined> {
  try {
    const [boot, network] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/net'),
    ])
    return createHash('sha256').update(`kalnet-machine\n${boot.trim()}\n${network}`).digest('hex')
  } catch {
    // Without /proc nobody shares it with us as far as we know: everything goes through the control plane.
    return undefined
  }
}
