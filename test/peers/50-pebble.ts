/** Pebble: Let's Encrypt's own test server for ACME, with the DNS server it asks. Built once; each start has ports and an authority of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as plainRequest } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { ensureTls } from '@kalnet/server/core/tls'
import { freePort } from '@kalnet/server/testing/server'
import { goProgram } from './go-install.ts'

const VERSION = '2.10.1'
const program = goProgram({
  name: 'pebble',
  version: VERSION,
  from: 'github.com/letsencrypt/pebble/v2/cmd/...',
  program: 'pebble',
})
const READY_MS = 20_000

export const hasPebble = program.isHere

export const peer: Peer = {
  name: `Pebble ${VERSION}`,
  proves: 'ordering, renewing and revoking certificates at a real ACME server, by HTTP-01 and DNS-01',
  ensure: program.ensure,
}

export interface Pebble {
  directory: string
  /** PEM file: whom to believe that this is it. */
  authorityFile: string
  /** Root of the certificates it gives, PEM; another one at each start. */
  root(): Promise<string>
  /** What it says of a certificate it gave. */
  status(serial: string): Promise<string>
  /** The DNS server that comes with it, `127.0.0.1:PORT`: every name is this machine, and `setTxt`. */
  dns: string
  /** Where it looks for HTTP-01. */
  httpPort: number
  setTxt(name: string, values: string[]): Promise<void>
  log(): string
  stop(): Promise<void>
}

function ask(url: string, options: { ca?: string; body?: object } = {}): Promise<string> {
  const { ca, body } = options
  return new Promise((resolve, reject) => {
    const make = url.startsWith('https:') ? request : plainRequest
    const call = make(
      url,
      { method: body ? 'POST' : 'GET', timeout: 2_000, ...(ca ? { ca } : {}) },
      (answer) => {
        let text = ''
        answer.on('data', (piece: Buffer) => {
          text += piece.toString('utf8')
        })
        answer.on('end', () => resolve(text))
      },
    )
    call.on('timeout', () => call.destroy(new Error('it did not answer in time')))
    call.on('error', reject)
    call.end(body ? JSON.stringify(body) : undefined)
  })
}

/** `rejectNonces`: how many of a hundred good nonces it refuses. `dnsServer`: whom it asks instead of the one that comes with it. */
export async function startPebble(
  options: { rejectNonces?: number; dnsServer?: string } = {},
): Promise<Pebble> {
  const home = await mkdtemp(join(tmpdir(), 'kn-pebble-'))
  const tls = await ensureTls(home, ['localhost', '127.0.0.1'])
  const [port, management, httpPort, tlsPort, dnsPort, dnsManagement] = await Promise.all(
    Array.from({ length: 6 }, () => freePort()),
  )
  const authorityFile = join(home, 'ca', 'authority.crt')
  await writeFile(
    join(home, 'config.json'),
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: join(home, 'ca', 'server.crt'),
        privateKey: join(home, 'ca', 'server.key'),
        httpPort,
        tlsPort,
        keyAlgorithm: 'ecdsa',
        profiles: { default: { description: 'usual', validityPeriod: 7_776_000 } },
      },
    }),
  )
  let text = ''
  const ends: Promise<void>[] = []
  const children = [
    start(
      program.path('pebble-challtestsrv'),
      [
        ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', ''],
        ...['-dnsserver', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${dnsManagement}`],
        ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    ),
    start(
      program.path(),
      ['-config', join(home, 'config.json'), '-dnsserver', options.dnsServer ?? `127.0.0.1:${dnsPort}`],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          PEBBLE_VA_NOSLEEP: '1',
          PEBBLE_AUTHZREUSE: '0',
          PEBBLE_WFE_NONCEREJECT: String(options.rejectNonces ?? 0),
        },
      },
    ),
  ]
  for (const child of children) {
    const keep = (piece: Buffer) => {
      text = (text + piece.toString('utf8')).slice(-20_000)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    ends.push(
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.once('error', () => resolve())
      }),
    )
  }
  const stop = async () => {
    for (const child of children) child.kill('SIGTERM')
    const late = setTimeout(() => {
      for (const child of children) child.kill('SIGKILL')
    }, 5_000)
    await Promise.all(ends)
    clearTimeout(late)
    await rm(home, { recursive: true, force: true })
  }
  const ca = tls.authority
  const directory = `https://localhost:${port}/dir`
  const until = Date.now() + READY_MS
  for (;;)
    try {
      await ask(directory, { ca })
      await ask(`http://127.0.0.1:${dnsManagement}/clear-txt`, { body: { host: 'nobody.example.' } })
      break
    } catch (error) {
      if (Date.now() > until) {
        await stop()
        throw new Error(`Pebble did not answer in time:\n${text}`, { cause: error })
      }
      await systemClock.sleep(50)
    }
  const tell = (what: string, body: object) => ask(`http://127.0.0.1:${dnsManagement}/${what}`, { body })
  return {
    directory,
    authorityFile,
    dns: `127.0.0.1:${dnsPort}`,
    httpPort: httpPort ?? 0,
    root: () => ask(`https://localhost:${management}/roots/0`, { ca }),
    status: (serial) =>
      ask(`https://localhost:${management}/cert-status-by-serial/${serial.toLowerCase()}`, { ca }),
    async setTxt(name, values) {
      const host = `${name}.`
      await tell('clear-txt', { host })
      for (const value of values) await tell('set-txt', { host, value })
    },
    log: () => text,
    stop,
  }
}
