/** Keycloak 26: a real identity provider for OpenID Connect, SAML and SCIM. Installed once; each start has a folder and a port of its own. */
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { must, start } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/io/testing/free-port'

const VERSION = '26.7.3'
/** Raised when the way of installing changes. */
const STAMP = `${VERSION}-1`
const READY_MS = 500_000
const STOP_MS = 15_000
/** The heap; with its own parts the program takes about twice as much. */
const HEAP = '-Xms64m -Xmx400m'

const folderIn = (cache: string) => join(cache, 'keycloak', VERSION)
const homeIn = (cache: string) => join(folderIn(cache), `keycloak-${VERSION}`)
const isInstalled = async (cache: string) =>
  (await readFile(join(folderIn(cache), 'stamp'), 'utf8').catch(() => '')) === STAMP

export const hasKeycloak = (): Promise<boolean> => isInstalled(peerCache(process.env))

export const peer: Peer = {
  name: `Keycloak ${VERSION}`,
  proves: 'signing in by a real provider, by OpenID Connect and SAML; being a provider to one; SCIM',
  async ensure({ env, cache, signal, say }) {
    if (await isInstalled(cache)) return
    const downloads = join(cache, 'keycloak', 'download')
    const zip = join(downloads, `keycloak-quarkus-dist-${VERSION}.zip`)
    await mkdir(downloads, { recursive: true })
    const options = { env, signal, timeoutMs: 900_000 }
    if (!existsSync(zip)) {
      say('downloading')
      const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy'
      const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`
      await must('mvn', ['-q', '-B', goal, artifact, `-DoutputDirectory=${downloads}`], options)
    }
    say('unpacking')
    // Beside and renamed: a broken run leaves nothing that looks whole.
    const beside = `${folderIn(cache)}.${process.pid}`
    await rm(beside, { recursive: true, force: true })
    await must('unzip', ['-q', zip, '-d', beside], options)
    say('building')
    const built = await must(
      join(beside, `keycloak-${VERSION}`, 'bin/kc.sh'),
      ['build', '--db=dev-mem', '--features=scim-api'],
      options,
    )
    await writeFile(join(beside, 'build.log'), built.stdout + built.stderr)
    await writeFile(join(beside, 'stamp'), STAMP)
    await rm(folderIn(cache), { recursive: true, force: true })
    await rename(beside, folderIn(cache))
  },
}

export interface Keycloak {
  /** `http://127.0.0.1:PORT`; a realm's issuer is `<url>/realms/<name>`. */
  url: string
  /** Its administrator, for the admin API. */
  admin: { user: string; password: string }
  /** What it printed last, for a failing test's message. */
  log(): string
  stop(): Promise<void>
}

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const call = request(`${url}/realms/master`, { timeout: 2_000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })

/**
 * Starts one with these realms (Keycloak's own import JSON, each with `realm` and `enabled`), on loopback, in memory: `stop` leaves nothing behind.
 * `port`: when the realms must name their own address.
 */
export async function startKeycloak(
  options: { realms?: readonly Record<string, unknown>[]; port?: number; signal?: AbortSignal } = {},
): Promise<Keycloak> {
  const { realms = [], signal } = options
  const installed = homeIn(peerCache(process.env))
  const home = await mkdtemp(join(tmpdir(), 'kn-keycloak-'))
  const port = options.port ?? (await freePort())
  // Its data stands beside its programs: the big folder is shared, the small ones are its own.
  for (const name of ['bin', 'conf', 'providers', 'themes'])
    await cp(join(installed, name), join(home, name), { recursive: true })
  await symlink(join(installed, 'lib'), join(home, 'lib'))
  await mkdir(join(home, 'data/import'), { recursive: true })
  for (const [index, realm] of realms.entries())
    await writeFile(join(home, 'data/import', `realm-${index}.json`), JSON.stringify(realm))

  const admin = { user: 'admin', password: 'admin-of-the-test' }
  const child = start(
    join(home, 'bin/kc.sh'),
    [
      'start',
      '--optimized',
      '--import-realm',
      '--http-enabled=true',
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
      '--hostname-strict=false',
      // Looking for others of its kind it takes any address of this machine, an instance's too, which may be gone when it begins to listen.
      '--cache-embedded-network-bind-address=127.0.0.1',
      '--http-management-scheme=inherited',
      `--http-management-port=${await freePort()}`,
    ],
    {
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        JAVA_OPTS_KC_HEAP: HEAP,
        KC_BOOTSTRAP_ADMIN_USERNAME: admin.user,
        KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
        KC_LOG_CONSOLE_COLOR: 'false',
      },
    },
  )
  let text = ''
  const keep = (piece: Buffer) => {
    text = (text + piece.toString('utf8')).slice(-20_000)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  let ended = false
  const end = new Promise<void>((resolve) => {
    const done = () => {
      ended = true
      resolve()
    }
    child.once('exit', done)
    child.once('error', done)
  })
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await end
    clearTimeout(late)
    await rm(home, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  const until = Date.now() + READY_MS
  try {
    while (!(await answers(url))) {
      if (ended) throw new Error(`Keycloak ended:\n${text}`)
      if (Date.now() > until) throw new Error(`Keycloak did not answer in time:\n${text}`)
      await systemClock.sleep(250, signal)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { url, admin, log: () => text, stop }
}
