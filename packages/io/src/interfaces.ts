/** The networks this machine is on, as other people's devices see it. */
import type { NetworkInterfaceInfo, networkInterfaces } from 'node:os'

export type Interfaces = ReturnType<typeof networkInterfaces>

/** Bridges of engines and our own session networks are nobody's way in; nor are addresses of the link alone. */
export function lanInterfaces(interfaces: Interfaces): Record<string, NetworkInterfaceInfo[]> {
  const found: Record<string, NetworkInterfaceInfo[]> = {}
  for (const [name, all] of Object.entries(interfaces)) {
    if (/^(docker|br-|veth|virbr|cni|kal|kn[0-9a-f]{12}$)/.test(name)) continue
    const usable = (all ?? []).filter(
      (it) => !it.internal && !it.address.startsWith('fe80:') && !it.address.startsWith('169.254.'),
    )
    if (usable.length > 0) found[name] = usable
  }
  return found
}
