/** Debian's docker-registry on loopback, with or without a password; kept in a folder, so that it can be killed and come back. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/server/testing/server'
import { stringify } from 'yaml'

const READY_MS = 20_000
/** Of `open sesame`, by bcrypt at its cheapest. */
const LINE = 'kalnet:$2b$04$ehPxZrwM1FujOg/cA8wKluMHz5zhyKXWtFG6tbc0rKWmAygBuTnMC\n'
export const REGISTRY_CREDENTIALS = { user: 'kalnet', password: 'open sesame' }

export interface ImageRegistryProcess {
  url: string
  port: number
  /** Method and path of every request it answered since it came up first. */
  requests(): Promise<string[]>
  kill(): Promise<void>
  restart(): Promise<void>
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path: '/v2/', timeout: 1_000 }, (answer) => {
      answer.resume()
      resolve(true)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })

/**
 * `host`: where it listens; machines of a cluster reach it at another address than loopback. `images`: where they are kept, when that is
 * not in the folder.
 */
export async function startImageRegistry(
  folder: string,
  { signIn = false, host = '127.0.0.1', images = join(folder, 'data') } = {},
): Promise<ImageRegistryProcess> {
  const port = await freePort()
  await mkdir(folder, { recursive: true })
  await mkdir(images, { recursive: true })
  const log = join(folder, 'log')
  await writeFile(join(folder, 'htpasswd'), LINE)
  const htpasswd = { realm: 'test', path: join(folder, 'htpasswd') }
  const config = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: images }, delete: { enabled: true } },
    // Kept over a restart, or what was under way is forgotten.
    http: { addr: `${host}:${port}`, secret: 'of a test' },
    ...(signIn && { auth: { htpasswd } }),
  }
  await writeFile(join(folder, 'config.yml'), stringify(config))
  const begin = async () => {
    const process = start('docker-registry', ['serve', join(folder, 'config.yml')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [process.stdout, process.stderr])
      stream?.on('data', (text: Buffer) => void writeFile(log, text, { flag: 'a' }))
    const until = Date.now() + READY_MS
    while (!(await answers(port))) {
      if (process.exitCode !== null) throw new Error(`docker-registry ended: ${await readFile(log, 'utf8')}`)
      if (Date.now() > until) throw new Error('docker-registry did not answer')
      await systemClock.sleep(50)
    }
    return process
  }
  let child = await begin()
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async requests() {
      const text = await readFile(log, 'utf8').catch(() => '')
      return [...text.matchAll(/"([A-Z]+ \/v2\/[^"]*?)(?:\?[^"]*)? HTTP\/1\.1"/g)].map(
        (found) => found[1] ?? '',
      )
    },
    kill,
    async restart() {
      await kill()
      child = await begin()
    },
  }
}
