/** What a cluster could leave on the machine that it ran on. */
import { readdir, readFile } from 'node:fs/promises'
import { must } from '@kalnet/io/spawn'

const SYSCTLS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'net/ipv4/ip_forward',
]

export interface Traces {
  links: string[]
  mounts: string[]
  cgroups: string[]
  sysctls: string[]
  filter: string[]
}

/** Only what carries a cluster's name, and settings of the kernel: other tests run on the machine, too. */
export async function tracesOf(name: RegExp): Promise<Traces> {
  const { stdout: links } = await must('ip', ['-o', 'link'])
  const { stdout: routes } = await must('ip', ['-4', 'route', 'show', 'table', 'all'])
  const { stdout: filter } = await must('iptables-save', [])
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  const trees = await readdir('/sys/fs/cgroup')
  const cgroups = await Promise.all(
    trees.map(async (tree) =>
      (await readdir(`/sys/fs/cgroup/${tree}`).catch(() => [])).map((it) => `${tree}/${it}`),
    ),
  )
  const sysctls = await Promise.all(
    SYSCTLS.map(async (it) => `${it}=${(await readFile(`/proc/sys/${it}`, 'utf8')).trim()}`),
  )
  const ours = (text: string) => text.split('\n').filter((it) => name.test(it))
  return {
    links: [...ours(links), ...ours(routes)],
    mounts: ours(mounts),
    cgroups: cgroups.flat().filter((it) => name.test(it)),
    sysctls,
    filter: ours(filter),
  }
}
