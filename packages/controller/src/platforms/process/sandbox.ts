/** The sandbox as bubblewrap's arguments: what an instance sees of the machine, which is next to nothing. */
import type { InstanceSpec } from '@kalnet/contracts/instance'
import { givenFolders } from '../given.ts'

/** Descriptors that launch.sh opens before it becomes the sandbox. */
const DESCRIPTORS = { status: 3, arguments: 4 }

/** Where the sandbox finds what it shows. */
export interface Sources {
  root: string
  home: string
  run: string
  resolver: string
  hosts: string
  /** Folders of files that we put in. */
  given: string
  /** By the index of the volume. */
  volume(index: number): string
}
/** Where launch.sh shows it to a session's own user. */
export const MOUNTED: Sources = {
  root: '/mnt/root',
  home: '/mnt/home',
  run: '/mnt/run',
  resolver: '/mnt/resolv.conf',
  hosts: '/mnt/hosts',
  given: '/mnt/given',
  volume: (index) => `/mnt/volume-${index}`,
}

export interface SandboxOptions {
  spec: InstanceSpec
  /** No more than fits a host name. */
  hostname: string
  /** With `none` the sandbox makes an empty network itself; else it is in one already. */
  network: 'none' | 'prepared'
  /** The root has files to put the addresses of resolvers and of links over. */
  hasResolver: boolean
  hasHosts: boolean
  root: { first: string[]; last: string[] }
  sources: Sources
}

/** Everything but the command; travels by a file, for a command line can be read by everybody on the machine. */
export function sandboxArguments({
  spec,
  hostname,
  network,
  hasResolver,
  hasHosts,
  root,
  sources,
}: SandboxOptions): string[] {
  const { resources } = spec
  const temporary = String(Math.max(resources.memoryBytes, 64 * 2 ** 20))
  const shared = resources.sharedMemoryBytes
  const environment: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games',
    HOME: '/home/user',
    USER: 'user',
    LOGNAME: 'user',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    ...spec.environment,
  }
  return [
    ['--unshare-user', '--uid', '1000', '--gid', '1000', '--disable-userns'],
    ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    network === 'none' ? ['--unshare-net'] : [],
    ['--hostname', hostname, '--new-session', '--clearenv'],
    root.first,
    ['--proc', '/proc', '--dev', '/dev'],
    shared > 0 ? ['--size', String(shared), '--perms', '1777', '--tmpfs', '/dev/shm'] : [],
    ['--size', temporary, '--perms', '1777', '--tmpfs', '/tmp'],
    ['--size', '16777216', '--tmpfs', '/run'],
    ['--bind', sources.run, '/run/kalnet'],
    givenFolders(spec).flatMap((it) => ['--ro-bind', `${sources.given}/${it}`, `/run/kalnet/${it}`]),
    // The image's own home folder lies below; only the instance's own is seen.
    ['--tmpfs', '/home', '--bind', sources.home, '/home/user'],
    hasResolver ? ['--ro-bind', sources.resolver, '/etc/resolv.conf'] : [],
    hasHosts ? ['--ro-bind', sources.hosts, '/etc/hosts'] : [],
    // From the top down: one may lie in another.
    [...spec.volumes.entries()]
      .sort(([, one], [, other]) => one.at.split('/').length - other.at.split('/').length)
      .flatMap(([index, it]) => [it.readOnly ? '--ro-bind' : '--bind', sources.volume(index), it.at]),
    root.last,
    ['--chdir', spec.workdir],
    Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ['--json-status-fd', String(DESCRIPTORS.status)],
  ].flat()
}

export const sandboxCommand = (spec: InstanceSpec): string[] => [
  'bwrap',
  '--args',
  String(DESCRIPTORS.arguments),
  '--',
  ...spec.command,
]

/** What bubblewrap wrote to its status so far. */
export function readStatus(text: string): { childPid: number | null; exitCode: number | null } {
  const answer: { childPid: number | null; exitCode: number | null } = { childPid: null, exitCode: null }
  for (const line of text.split('\n')) {
    if (!line.trim().endsWith('}')) continue
    const document = JSON.parse(line) as { 'child-pid'?: number; 'exit-code'?: number }
    answer.childPid ??= document['child-pid'] ?? null
    answer.exitCode ??= document['exit-code'] ?? null
  }
  return answer
}
