/** What this machine lets the process platform do, tried out rather than guessed. */
import { access, constants } from 'node:fs/promises'
import type { Fingerprint } from '@kalnet/contracts/controller'
import { readIfThere } from '@kalnet/io/files'
import { run } from '@kalnet/io/spawn'
import { type Groups, openGroups } from './cgroups.ts'
import { ownNetworkCommand } from './network-user.ts'

/** Any number outside of what people have, to try a sandbox with. */
const TRIAL_ACCOUNT = 199_999
const PROBE_MS = 10_000

export interface Abilities {
  isRoot: boolean
  isolation: 'uid' | 'userns' | 'none'
  network: 'veth' | 'pasta' | 'none'
  /** Networks that lead nowhere. */
  local: 'veth' | 'own' | 'none'
  groups: Groups
  version: string
  usable: boolean
  detail: string
}

const answers = async (command: string, args: string[]): Promise<string | null> => {
  try {
    const result = await run(command, args, { timeoutMs: PROBE_MS })
    return result.code === 0 ? `${result.stdout}${result.stderr}`.trim() : null
  } catch {
    // It is not installed.
    return null
  }
}

/** The command that becomes the session's own user for good. */
export const asAccount = (uid: number): string[] => [
  ...['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
  ...['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'],
]

/** Before the sandbox, where root runs us: launch.sh shows the instance's folders in a mount namespace of its own. */
export const OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'private', '--']

/** Settings of the kernel that forbid user namespaces, and what allows them again. */
async function whyNoSandbox(): Promise<string> {
  const setting = async (name: string) =>
    (await readIfThere(`/proc/sys/${name.replaceAll('.', '/')}`))?.trim()
  if ((await setting('kernel.apparmor_restrict_unprivileged_userns')) === '1')
    return 'AppArmor forbids user namespaces; `sysctl kernel.apparmor_restrict_unprivileged_userns=0` allows them'
  if ((await setting('kernel.unprivileged_userns_clone')) === '0')
    return 'user namespaces are switched off; `sysctl kernel.unprivileged_userns_clone=1` allows them'
  if ((await setting('user.max_user_namespaces')) === '0')
    return 'user namespaces are switched off; `sysctl user.max_user_namespaces=10000` allows them'
  return 'user namespaces are not allowed here (inside another container, perhaps)'
}

async function probeSandbox(isRoot: boolean): Promise<boolean> {
  const sandbox = ['bwrap', '--unshare-user', '--disable-userns', '--unshare-pid', '--unshare-net']
  const all = [
    ...(isRoot ? [...OWN_MOUNTS, ...asAccount(TRIAL_ACCOUNT)] : []),
    ...[...sandbox, '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', 'true'],
  ]
  return (await answers(all[0]!, all.slice(1))) !== null
}

async function probeNetwork(isRoot: boolean): Promise<{ network: Abilities['network']; better: string }> {
  if (isRoot) {
    const has =
      (await answers('ip', ['-V'])) !== null && (await answers('iptables', ['-S', 'FORWARD'])) !== null
    if (has) return { network: 'veth', better: '' }
    return { network: 'none', better: 'For network in sessions install iproute2 and iptables' }
  }
  const hasPasta = (await answers('pasta', ['--version'])) !== null
  const hasIp = (await answers('ip', ['-V'])) !== null
  if (!hasPasta || !hasIp)
    return { network: 'none', better: 'For network in sessions install passt and iproute2' }
  try {
    await access('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    return { network: 'none', better: 'For network in sessions let users open /dev/net/tun' }
  }
  return { network: 'pasta', better: '' }
}

/** An ordinary user needs no pasta for a network that leads nowhere. */
async function probeLocal(isRoot: boolean, network: Abilities['network']): Promise<Abilities['local']> {
  if (isRoot) return network === 'veth' ? 'veth' : 'none'
  const [command = '', ...args] = [...ownNetworkCommand(), 'true']
  return (await answers(command, args)) === null ? 'none' : 'own'
}

export async function probeAbilities(installation: string): Promise<Abilities> {
  const isRoot = process.getuid?.() === 0
  const bwrap = await answers('bwrap', ['--version'])
  const lacks =
    bwrap === null
      ? 'bubblewrap is not installed'
      : isRoot && (await answers('setpriv', ['--version'])) === null
        ? 'setpriv (util-linux) is not installed'
        : !(await probeSandbox(isRoot))
          ? await whyNoSandbox()
          : null
  const groups = await openGroups(installation)
  const { network, better } = await probeNetwork(isRoot)
  const local = lacks ? 'none' : await probeLocal(isRoot, network)
  const isolation = lacks ? 'none' : isRoot ? 'uid' : 'userns'
  const words = {
    uid: 'Each session runs as a user of its own',
    userns: "Sessions run in your own account; run Kalnet as root for a user of each session's own",
    none: `Nothing runs here: ${lacks}`,
  }
  const detail = [
    words[isolation],
    groups.version === 0 ? 'Limits on memory and processors are not possible here' : '',
    better,
  ]
  return {
    isRoot,
    isolation,
    network,
    local,
    groups,
    version: bwrap ?? 'none',
    usable: lacks === null,
    detail: detail.filter(Boolean).join('. '),
  }
}

export const fingerprintOf = (it: Abilities, images: string[]): Fingerprint => ({
  platform: 'process',
  usable: it.usable,
  detail: it.detail,
  version: it.version,
  isolation: it.isolation,
  limits: it.groups.version !== 0,
  network: it.network !== 'none',
  localNetwork: it.local !== 'none',
  images: images.slice(0, 500),
})
