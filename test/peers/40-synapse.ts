/** Synapse: a real chat server that signs people in by an OpenID provider. Installed once into a venv; each start has a folder and a port of its own. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { must, start } from '@kalnet/io/spawn'

const VERSION = '1.163.2'
/** Raised when the way of installing changes. */
const STAMP = `${VERSION}-1`
const LOCK = join(import.meta.dirname, 'synapse.lock')
const READY_MS = 90_000
const STOP_MS = 10_000

const folderIn = (cache: string) => join(cache, 'synapse', VERSION)
const isInstalled = async (cache: string) =>
  (await readFile(join(folderIn(cache), 'stamp'), 'utf8').catch(() => '')) === STAMP

export const hasSynapse = (): Promise<boolean> => isInstalled(peerCache(process.env))

export const peer: Peer = {
  name: `Synapse ${VERSION}`,
  proves: 'that a real app signs people in through us, and signs them out when we do',
  async ensure({ env, cache, signal, say }) {
    if (await isInstalled(cache)) return
    const folder = folderIn(cache)
    const options = { env, signal, timeoutMs: 900_000 }
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    say('installing')
    await must('python3', ['-m', 'venv', join(folder, 'venv')], options)
    const pip = join(folder, 'venv/bin/pip')
    await must(pip, ['install', '-q', '--no-deps', '--disable-pip-version-check', '-r', LOCK], options)
    // Last: what is half installed has no stamp.
    await writeFile(join(folder, 'stamp.new'), STAMP)
    await rename(join(folder, 'stamp.new'), join(folder, 'stamp'))
  },
}

export interface Synapse {
  url: string
  /** What it printed last, for a failing test's message. */
  log(): string
  stop(): Promise<void>
}

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const call = request(`${url}/health`, { timeout: 2_000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })

/** Its configuration as JSON, which is YAML. */
const configuration = (options: StartOptions, home: string) => ({
  server_name: options.serverName,
  public_baseurl: `http://localhost:${options.port}/`,
  pid_file: join(home, 'pid'),
  listeners: [
    {
      port: options.port,
      bind_addresses: ['127.0.0.1'],
      type: 'http',
      tls: false,
      resources: [{ names: ['client'], compress: false }],
    },
  ],
  database: { name: 'sqlite3', args: { database: join(home, 'homeserver.db') } },
  media_store_path: join(home, 'media'),
  signing_key_path: join(home, 'signing.key'),
  log_config: join(home, 'log.yaml'),
  macaroon_secret_key: randomBytes(24).toString('hex'),
  form_secret: randomBytes(24).toString('hex'),
  report_stats: false,
  suppress_key_server_warning: true,
  trusted_key_servers: [],
  federation_domain_whitelist: [],
  caches: { sync_response_cache_duration: '0s' },
  password_config: { enabled: false },
  sso: { client_whitelist: options.clients },
  oidc_providers: [
    {
      idp_id: 'kalnet',
      idp_name: 'Kalnet',
      issuer: options.issuer,
      client_id: options.clientId,
      client_secret: options.clientSecret,
      scopes: ['openid', 'profile', 'email'],
      pkce_method: 'always',
      // Its own check wants https everywhere; here all of it is on loopback.
      skip_verification: true,
      backchannel_logout_enabled: true,
      user_mapping_provider: {
        config: {
          localpart_template: '{{ user.preferred_username }}',
          display_name_template: '{{ user.name }}',
        },
      },
    },
  ],
})

export interface StartOptions {
  serverName: string
  port: number
  issuer: string
  clientId: string
  clientSecret: string
  /** Addresses it may take people back to without asking them. */
  clients: string[]
  signal?: AbortSignal
}

/** On loopback, with a database of its own: `stop` leaves nothing behind. */
export async function startSynapse(options: StartOptions): Promise<Synapse> {
  const home = await mkdtemp(join(tmpdir(), 'kn-synapse-'))
  const key = randomBytes(32).toString('base64').replace(/=+$/, '')
  await writeFile(join(home, 'signing.key'), `ed25519 a_test ${key}\n`)
  await writeFile(
    join(home, 'log.yaml'),
    JSON.stringify({
      version: 1,
      handlers: { console: { class: 'logging.StreamHandler' } },
      root: { level: 'INFO', handlers: ['console'] },
      disable_existing_loggers: false,
    }),
  )
  await writeFile(join(home, 'homeserver.yaml'), JSON.stringify(configuration(options, home)))
  const python = join(folderIn(peerCache(process.env)), 'venv/bin/python')
  const child = start(python, ['-m', 'synapse.app.homeserver', '-c', join(home, 'homeserver.yaml')], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
    if (!ended) child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await end
    clearTimeout(late)
    await rm(home, { recursive: true, force: true })
  }
  const url = `http://localhost:${options.port}`
  const until = Date.now() + READY_MS
  while (!(await answers(`http://127.0.0.1:${options.port}`))) {
    if (ended || Date.now() > until) {
      await stop()
      throw new Error(`Synapse did not start\n${text}`)
    }
    await systemClock.sleep(150, options.signal ?? AbortSignal.timeout(READY_MS))
  }
  return { url, log: () => text, stop }
}
