/** Traefik 3: the production ingress, built once from its own modules; each start has a configuration and ports of its own. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { must, start } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/io/testing/free-port'

const VERSION = '3.6.12'
/** Raised when the way of building changes. */
const STAMP = `${VERSION}-1`
const MODULE = 'github.com/traefik/traefik/v3'
const BUILD_MS = 20 * 60_000
const READY_MS = 20_000
const STOP_MS = 5_000

const folderIn = (cache: string) => join(cache, 'traefik', VERSION)
export const traefikProgram = (cache = peerCache(process.env)): string => join(folderIn(cache), 'traefik')
const isBuilt = async (cache: string) =>
  existsSync(traefikProgram(cache)) &&
  (await readFile(join(folderIn(cache), 'stamp'), 'utf8').catch(() => '')) === STAMP

export const hasTraefik = (): Promise<boolean> => isBuilt(peerCache(process.env))

export const peer: Peer = {
  name: `Traefik ${VERSION}`,
  proves: 'that a real Traefik routes by what we render for it, as our own gateway does',
  async ensure({ env, cache, signal, say }) {
    if (await isBuilt(cache)) return
    const beside = `${folderIn(cache)}.${process.pid}`
    const source = join(beside, 'source')
    await rm(beside, { recursive: true, force: true })
    await mkdir(source, { recursive: true })
    const options = {
      cwd: source,
      // Only modules; a failed look-up must not try version control.
      env: { ...env, CGO_ENABLED: '0', GOVCS: '*:off', GOFLAGS: '-mod=mod -trimpath' },
      signal,
      timeoutMs: BUILD_MS,
    }
    say('downloading')
    const { stdout } = await must('go', ['mod', 'download', '-json', `${MODULE}@v${VERSION}`], {
      ...options,
      cwd: beside,
    })
    const { Dir: module } = JSON.parse(stdout) as { Dir: string }
    const lines = (await readFile(join(module, 'go.mod'), 'utf8')).replace(/^module .*/m, 'module peer')
    await writeFile(join(source, 'go.mod'), `${lines}\nrequire ${MODULE} v${VERSION}\n`)
    await writeFile(join(source, 'go.sum'), await readFile(join(module, 'go.sum')))
    say('building')
    await must(
      'go',
      ['build', '-ldflags', '-s -w', '-o', join(beside, 'traefik'), `${MODULE}/cmd/traefik`],
      options,
    )
    await rm(source, { recursive: true, force: true })
    await writeFile(join(beside, 'stamp'), STAMP)
    await rm(folderIn(cache), { recursive: true, force: true })
    await rename(beside, folderIn(cache))
  },
}

export interface Traefik {
  /** Its entry points: http, and what else was asked for by name. */
  port: number
  ports: Record<string, number>
  /** What it understood, from its own API. */
  routers(
    kind?: 'http' | 'tcp' | 'udp',
  ): Promise<{ name: string; status: string; rule?: string; error?: string[] }[]>
  log(): string
  stop(): Promise<void>
}

/** Polls `endpoint` each 200 ms; ready when it has a router of it. `entries`: name → `tcp` or `udp`. */
export async function startTraefik(options: {
  endpoint: string
  headers?: Record<string, string>
  entries?: Record<string, { kind: 'tcp' | 'udp'; port: number }>
}): Promise<Traefik> {
  const [port, api] = [await freePort(), await freePort()]
  const entries = Object.entries(options.entries ?? {})
  const child = start(
    traefikProgram(),
    [
      `--entryPoints.web.address=127.0.0.1:${port}`,
      ...entries.map(
        ([name, it]) =>
          `--entryPoints.${name}.address=127.0.0.1:${it.port}${it.kind === 'udp' ? '/udp' : ''}`,
      ),
      `--entryPoints.traefik.address=127.0.0.1:${api}`,
      '--api.insecure=true',
      `--providers.http.endpoint=${options.endpoint}`,
      '--providers.http.pollInterval=200ms',
      '--providers.providersThrottleDuration=100ms',
      ...Object.entries(options.headers ?? {}).map(
        ([name, value]) => `--providers.http.headers.${name}=${value}`,
      ),
      '--global.checkNewVersion=false',
      '--global.sendAnonymousUsage=false',
      '--log.level=WARN',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: {} },
  )
  let said = ''
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-20_000)
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const routers = async (kind: 'http' | 'tcp' | 'udp' = 'http') =>
    JSON.parse(await read(`http://127.0.0.1:${api}/api/${kind}/routers`)) as Awaited<
      ReturnType<Traefik['routers']>
    >
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(late)
  }
  const until = Date.now() + READY_MS
  for (;;) {
    const found = await routers().catch(() => [])
    if (found.some((it) => it.name.endsWith('@http'))) break
    if (Date.now() > until || child.exitCode !== null) {
      await stop()
      throw new Error(`Traefik did not take over what it was given: ${said}`)
    }
    await systemClock.sleep(50)
  }
  return {
    port,
    ports: Object.fromEntries(entries.map(([name, it]) => [name, it.port])),
    routers,
    log: () => said,
    stop,
  }
}

const read = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request(url, { timeout: 2_000 }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')))
    })
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.on('error', reject)
    call.end()
  })
