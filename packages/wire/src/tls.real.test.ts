/** Link and raw streams over TLS with an authority of one's own, as `up --lan` makes it; the certificate comes from openssl. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { LINK_PATH } from '@kalnet/contracts/controller'
import { createLog } from '@kalnet/io/log'
import { must } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectLink } from './link.ts'
import { acceptRaw, dialRaw } from './raw.ts'
import { acceptLink, proveHello } from './server-link.ts'
import { createKeys, until } from './testing.ts'

const openssl = '/usr/bin/openssl'
const there = existsSync(openssl)
if (!there && process.env.KALNET_PEERS === 'all') throw new Error('openssl is not installed')
const reason = there ? '' : ' (skipped: openssl is not installed)'
const TOKEN = 'a'.repeat(43)
const log = createLog('test', 'silent')

describe.skipIf(!there)(`link and raw streams over TLS${reason}`, () => {
  let folder = ''
  let ca = ''
  let url = ''
  let server: Server | null = null
  const raws: Duplex[] = []
  const keys = createKeys()
  const id = randomUUID()
  let ups = 0

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kalnet-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
    const names = ['-subj', '/CN=kalnet', '-addext', 'subjectAltName=IP:127.0.0.1']
    await must(openssl, ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...names])
    ca = await readFile(cert, 'utf8')
    const listening = createServer({ key: await readFile(key), cert: ca })
    listening.on('upgrade', (request, socket, head) => {
      if (request.url !== LINK_PATH) {
        const offer = acceptRaw(request, socket, head)
        if (offer) raws.push(offer.accept())
        return
      }
      const by = { publicKeyOf: async () => keys.publicKey, allowUrl: (it: string) => it === url }
      void acceptLink(request, socket, head, {
        log,
        authenticate: (hello, nonce) => proveHello(hello, nonce, by),
        onUp: () => {
          ups += 1
        },
        onMessage: () => undefined,
        onClose: () => undefined,
      })
    })
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    url = `https://127.0.0.1:${(listening.address() as AddressInfo).port}`
    server = listening
  })
  afterAll(async () => {
    for (const raw of raws) raw.destroy()
    server?.closeAllConnections()
    server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('[CTL-8.tls] a raw stream passes bytes both ways', async () => {
    const stream = await dialRaw({ url, tls: { ca }, token: TOKEN, signal: new AbortController().signal })
    const sent = Buffer.alloc(2 ** 20, 'kalnet')
    const got: Buffer[] = []
    stream.on('data', (chunk: Buffer) => got.push(chunk))
    raws[0]?.pipe(raws[0])
    stream.write(sent)
    await until(() => Buffer.concat(got).length === sent.length, 'all bytes back')
    expect(Buffer.concat(got).equals(sent)).toBe(true)
    stream.destroy()
  })

  it('[CTL-2.tls] the link comes up', async () => {
    const stop = new AbortController()
    const link = connectLink({
      url,
      tls: { ca },
      identity: { controllerId: id, sign: keys.sign },
      hello: { version: '0', hostname: 'x' },
      onMessage: () => undefined,
      onUp: () => undefined,
      onDown: () => undefined,
      signal: stop.signal,
      log,
    })
    await until(() => link.up() && ups === 1, 'up')
    stop.abort()
    await link.ended
  })

  it('[CTL-8.tls] a control plane of another authority is refused', async () => {
    const dial = dialRaw({ url, token: TOKEN, signal: new AbortController().signal })
    await expect(dial).rejects.toMatchObject({ code: 'stream.unreachable' })
  })
})
