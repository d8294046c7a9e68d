/** The whole product as a user has it: `./kalnet up` in a home of its own, and everything taken away afterwards. */
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunResult, run } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/io/testing/free-port'
import { own, takeAway, takeLeftovers } from './leftovers.ts'

export { freePort }

export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))

/** Built roots are kept between runs: building them is proved once, not in every test. Ordinary users have a cache of their own. */
const CACHE = process.env.KALNET_TEST_IMAGES ?? '/var/tmp/kalnet-test-images'

export interface Person {
  uid: number
  gid: number
  home: string
  name: string
}
export interface ProductOptions {
  /** An ordinary user of this machine; without it: whoever runs the tests. */
  person?: Person
  flags?: string[]
  /** Another tree than this one: of another release. */
  checkout?: string
  /** Default: a free one. */
  port?: number
  /** Where KALNET_HOME is made; default a temporary folder. */
  home?: string
  /** Run inside this network namespace of the machine. */
  namespace?: string
  env?: Record<string, string>
}
export interface Product {
  url: string
  claim: string | null
  home: string
  port: number
  /** Runs `./kalnet …` as the same person with the same home. */
  kalnet(...args: string[]): Promise<RunResult>
  /** Process ids of the supervisor's parts: database, server, controller. */
  pids(): Promise<Record<string, number>>
  /** The end of a part's log, for a failing test's message. */
  log(part: string): Promise<string>
  down(): Promise<void>
}

/** A user for tests, made once; null when that is not possible here (not root, no useradd). */
export async function ordinaryPerson(): Promise<Person | null> {
  if (process.getuid?.() !== 0) return null
  const name = 'kalnet-test'
  const look = () => run('getent', ['passwd', name])
  if ((await look()).code !== 0) await run('useradd', ['--create-home', '--shell', '/bin/sh', name])
  const entry = (await look()).stdout.trim().split(':')
  return entry.length < 6
    ? null
    : { name, uid: Number(entry[2]), gid: Number(entry[3]), home: entry[5] ?? '' }
}

export async function imageCache(person?: Person): Promise<string> {
  const folder = `${CACHE}-${person?.name ?? process.getuid?.() ?? 0}`
  await mkdir(folder, { recursive: true, mode: 0o755 })
  if (person) await chown(folder, person.uid, person.gid)
  return folder
}

const asPerson = (person: Person | undefined, command: string, args: string[]): [string, string[]] =>
  person
    ? [
        'setpriv',
        [
          `--reuid=${person.uid}`,
          `--regid=${person.gid}`,
          '--init-groups',
          '--inh-caps=-all',
          command,
          ...args,
        ],
      ]
    : [command, args]

export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const { person, namespace, checkout = CHECKOUT } = options
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'kn-')))
  await takeLeftovers(join(checkout, 'kalnet'))
  await own(home)
  await chmod(home, 0o755)
  if (person) await chown(home, person.uid, person.gid)
  const data = join(home, 'data')
  if (!existsSync(join(data, 'images'))) {
    await mkdir(data, { recursive: true, mode: 0o755 })
    await symlink(await imageCache(person), join(data, 'images'))
    if (person) await chown(data, person.uid, person.gid)
  }
  const port = options.port ?? (await freePort())
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    KALNET_HOME: home,
    // The usual ones are one product's, whoever comes first: another one would show that its services have no address.
    KALNET_GATEWAY_HTTP_PORT: String(await freePort()),
    KALNET_GATEWAY_HTTPS_PORT: String(await freePort()),
    ...options.env,
  }
  // What the test runner sets for itself is none of the product's.
  for (const name of Object.keys(env))
    if (/^(VITEST|NODE_ENV|NODE_OPTIONS|NODE_V8)/.test(name)) delete env[name]
  if (person) Object.assign(env, { HOME: person.home, USER: person.name, LOGNAME: person.name })

  const kalnet = (...args: string[]): Promise<RunResult> => {
    const [command, all] = asPerson(person, join(checkout, 'kalnet'), args)
    const inside = namespace ? ['netns', 'exec', namespace, command, ...all] : all
    return run(namespace ? 'ip' : command, inside, { env, cwd: '/', timeoutMs: 300_000 })
  }
  const log = async (part: string) =>
    (await readFile(join(data, 'logs', `${part}.log`), 'utf8').catch(() => ''))
      .split('\n')
      .slice(-40)
      .join('\n')

  const up = await kalnet('up', '--json', '--as-is', '--port', String(port), ...(options.flags ?? []))
  if (up.code !== 0)
    throw new Error(
      `kalnet up ended with ${up.code}\n${up.stdout}\n${up.stderr}\n${await log('supervisor')}\n${await log('server')}`,
    )
  const told = JSON.parse(up.stdout) as { url: string; claim: string | null }
  return {
    url: told.url,
    claim: told.claim,
    home,
    port,
    kalnet,
    log,
    async pids() {
      const status = JSON.parse((await kalnet('status', '--json')).stdout) as {
        parts?: { name: string; pid: number | null }[]
      }
      return Object.fromEntries((status.parts ?? []).flatMap(({ name, pid }) => (pid ? [[name, pid]] : [])))
    },
    async down() {
      await kalnet('down', '--yes')
      await takeAway(home)
    },
  }
}

/** The token of a claim link: what follows the `#`. */
export const tokenOf = (claim: string | null): string => {
  if (!claim) throw new Error('there is no claim link')
  return new URL(claim).hash.slice(1)
}
