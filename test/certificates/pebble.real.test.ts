/** Ordering at a real ACME server (Pebble), with two servers of ours on one database: whoever works, the other one shows and serves. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTls, type Server as TlsServer } from 'node:tls'
import type { Certificate } from '@kalnet/contracts/certificate'
import { config } from '@kalnet/contracts/config'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { run } from '@kalnet/io/spawn'
import { type Certificates, createCertificates } from '@kalnet/server/certificates/certificates'
import { createMail } from '@kalnet/server/core/mail'
import { createNames, type Names } from '@kalnet/server/registry/names'
import { freePort, type TestServer, testServer } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pebble, startPebble } from '../peers/50-pebble.ts'
import { eventually } from '../support/eventually.ts'
import { lacking } from '../support/parts.ts'

const skip = await lacking(
  ['pebble', 'openssl', 'curl'],
  'certificates are ordered, renewed and revoked by ACME',
)
const DAY_MS = 86_400_000
const HOSTS = ['photos.example.org', 'second.example.org', 'unknown.example.org']

/** Time that can be moved; who sleeps looks again then. */
function movable() {
  let ahead = 0
  let moved = new AbortController()
  const clock: Clock = {
    now: () => new Date(Date.now() + ahead),
    sleep: async (ms, signal) => {
      const over = moved.signal
      await systemClock.sleep(ms, signal ? AbortSignal.any([signal, over]) : over).catch((error: unknown) => {
        if (!over.aborted) throw error
      })
    },
  }
  const move = (ms: number) => {
    ahead = ms
    moved.abort()
    moved = new AbortController()
  }
  return { clock, move }
}

describe.skipIf(skip)('[NET-4.acme] certificates from a real ACME server', () => {
  const stopping = new AbortController()
  const time = movable()
  let folder: string
  let pebble: Pebble
  let names: Names
  let server: TestServer
  let make: () => Certificates
  let works: Certificates
  let serves: Certificates
  let gateway: Server
  let tls: TlsServer
  let port: number
  let as: string
  let rootFile: string
  const shownByDns = new Map<string, string[]>()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kn-acme-'))
    // A quarter of all good nonces is refused, all the time.
    const dnsPort = await freePort()
    pebble = await startPebble({ rejectNonces: 25, dnsServer: `127.0.0.1:${dnsPort}` })
    rootFile = join(folder, 'root.pem')
    await writeFile(rootFile, await pebble.root())
    server = await testServer({ listen: false })
    const { store, events, secrets } = server
    const { clock } = time
    const log = createLog('test', 'silent')
    const settings = config.parse({
      acme: { directory: pebble.directory, authorityFile: pebble.authorityFile, email: 'ada@example.org' },
      outbound: { allow: ['127.0.0.0/8', '::1'] },
      domain: 'home.example.org',
      dns: { enabled: true, host: '127.0.0.1', port: dnsPort, forward: [pebble.dns] },
    })
    names = createNames({
      config: settings,
      registry: { lookupAnywhere: () => undefined, version: () => 1 },
      isHost: () => false,
      machine: null,
      clock,
      log,
      signal: stopping.signal,
    })
    await names.listen()
    make = () => {
      const made = createCertificates({
        config: settings,
        folders: { config: folder },
        store,
        secrets,
        events,
        clock,
        log,
        mail: createMail({ config: {}, clock, log }),
        hosts: () => HOSTS.map((host) => ({ host, organisationId: null })),
        resolveCname: async (name) =>
          name === '_acme-challenge.away.example.org' ? ['dns.home.example.org.'] : [],
      })
      made.setDnsChallenge({
        async setChallenge(name, values) {
          shownByDns.set(name, values)
          names.setChallenge(name, values)
          // Of a domain that somebody else answers for.
          if (!name.endsWith('.home.example.org')) await pebble.setTxt(name, values)
        },
      })
      return made
    }
    works = make()
    serves = make()
    server.http.add(works.routes)
    await server.http.listen()
    as = (await server.person('owner')).secret
    gateway = createServer((request, answer) => {
      const token = /^\/\.well-known\/acme-challenge\/([\w-]+)$/.exec(request.url ?? '')?.[1]
      const host = (request.headers.host ?? '').replace(/:\d+$/, '')
      const found = token && host !== 'unknown.example.org' ? serves.challenge(host, token) : null
      answer.statusCode = found ? 200 : 404
      answer.end(found ?? 'Nothing is here.')
    })
    await new Promise<void>((resolve) => gateway.listen(pebble.httpPort, '127.0.0.1', resolve))
    tls = createTls(
      {
        SNICallback: (name, done) =>
          serves.contextFor(name).then(
            (context) => done(context ? null : new Error('not ours'), context ?? undefined),
            (error: Error) => done(error),
          ),
      },
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello'),
    )
    tls.on('tlsClientError', () => undefined)
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
    port = (tls.address() as AddressInfo).port
  })
  afterAll(async () => {
    stopping.abort()
    await Promise.all([works?.close(), serves?.close()])
    gateway?.close()
    tls?.close()
    await server?.end()
    await names?.close()
    await pebble?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function order(names: string[], challenge: string): Promise<string> {
    const answer = await server.ask('POST', '/api/certificates/order', {
      as,
      body: { names, challenge, agree: true },
    })
    expect(answer.text).toContain('"state":"ordering"')
    return String(answer.body.id)
  }
  const read = async (id: string) =>
    (await server.ask('GET', `/api/certificates/${id}`, { as })).body as unknown as Certificate
  async function until(id: string, right: (it: Certificate) => boolean): Promise<Certificate> {
    let found: Certificate | null = null
    try {
      const look = async () => {
        found = await read(id)
        return right(found)
      }
      await eventually('the certificate', look, 30_000)
    } catch (error) {
      throw new Error(`${JSON.stringify(found)}\n${pebble.log().slice(-3_000)}`, { cause: error })
    }
    return found ?? read(id)
  }
  /** What openssl makes of what is served under this name. */
  const shown = async (name: string) => {
    const args = [
      's_client',
      '-showcerts',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      name,
      '-verify_hostname',
      name,
    ]
    const { stdout } = await run('openssl', [...args, '-CAfile', rootFile, '-verify_return_error'], {
      input: '',
    })
    return {
      accepted: /Verify(?: return code|cation): (?:0 \()?(?:ok|OK)/i.test(stdout),
      pem: (stdout.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).join('\n'),
    }
  }

  it('[NET-4.acme-resume] an order that was cut off goes on where it was, by whoever is there', async () => {
    const early = make()
    const cut = new AbortController()
    early.watch(cut.signal)
    const id = await order(['second.example.org'], 'http-01')
    await until(id, (it) => it.step === 'challenge')
    cut.abort()
    await early.close()
    works.watch(stopping.signal)
    serves.watch(stopping.signal)
    expect(await until(id, (it) => it.state === 'valid')).toMatchObject({ step: null, problem: null })
    // Refused nonces are asked again; an order is made once.
    expect(pebble.log().match(/Added order/g)).toHaveLength(1)
  })

  let photos: Certificate
  it('[NET-4.acme-http] by HTTP-01: shown by the other server, accepted by openssl and curl', async () => {
    const id = await order(['photos.example.org', 'second.example.org'], 'http-01')
    photos = await until(id, (it) => it.state === 'valid')
    expect(photos).toMatchObject({ keyType: 'ECDSA P-256', problem: null, step: null, source: 'acme' })
    await eventually('it is served', async () => (await shown('photos.example.org')).accepted)
    const { stdout } = await run('curl', [
      ...['-sS', '--cacert', rootFile, '--resolve', `second.example.org:${port}:127.0.0.1`],
      `https://second.example.org:${port}/`,
    ])
    expect(stdout).toBe('hello')
    const chain = join(folder, 'chain.pem')
    await writeFile(chain, (await shown('photos.example.org')).pem)
    const judged = await run('openssl', ['verify', '-CAfile', rootFile, '-untrusted', chain, chain])
    expect(judged.stdout).toContain('chain.pem: OK')
  })

  it('[NET-4.acme-dns] by DNS-01 and our own DNS server: a star, and a name whose challenge was delegated', async () => {
    const id = await order(['*.home.example.org', 'away.example.org'], 'dns-01')
    await until(id, (it) => it.state === 'valid')
    await eventually('it is served', async () => (await shown('anything.home.example.org')).accepted)
    expect([...shownByDns.keys()].sort()).toEqual([
      '_acme-challenge.away.example.org',
      '_acme-challenge.home.example.org',
      'dns.home.example.org',
    ])
    await eventually('they are taken away', async () => [...shownByDns.values()].flat().length === 0)
  })

  it('[NET-4.acme-renewal] is renewed by itself when a third of its life is left, with a new key', async () => {
    const before = await shown('photos.example.org')
    time.move(61 * DAY_MS)
    const renewed = await until(photos.id, (it) => it.serial !== photos.serial)
    time.move(0)
    expect(renewed).toMatchObject({ id: photos.id, state: 'valid', names: photos.names })
    await eventually('the new one is served', async () => {
      const after = await shown('photos.example.org')
      return after.accepted && after.pem !== before.pem
    })
    photos = renewed
  })

  it('[NET-4.acme-failure] a name that does not lead here: said in words, tried again later, nothing else suffers', async () => {
    const id = await order(['unknown.example.org'], 'http-01')
    const failed = await until(id, (it) => it.state === 'failed')
    expect(failed.problem).toMatch(/^unknown\.example\.org: .*404/)
    expect(Date.parse(failed.nextAt ?? '') - Date.now()).toBeGreaterThan(10 * 60_000)
    expect((await shown('photos.example.org')).accepted).toBe(true)
  })

  it('[NET-4.acme-revocation] revoked: the authority knows it, and it is served no more', async () => {
    const answer = await server.ask('POST', `/api/certificates/${photos.id}/revoke`, { as, body: {} })
    expect(answer.body).toMatchObject({ state: 'revoked', nextAt: null })
    expect(JSON.parse(await pebble.status(photos.serial ?? ''))).toMatchObject({ Status: 'Revoked' })
    await eventually('it is served', async () => !(await shown('photos.example.org')).accepted)
    const again = await server.ask('POST', `/api/certificates/${photos.id}/revoke`, { as, body: {} })
    expect(again.status).toBe(200)
  })
})
