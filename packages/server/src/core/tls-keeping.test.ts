/** The own certificate while the control plane runs: looked after, taken over by new connections, and what is open stays open. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type TLSSocket } from 'node:tls'
import { config as configSchema } from '@kalnet/contracts/config'
import { createLog } from '@kalnet/io/log'
import { createManualClock } from '@kalnet/wire/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createServer } from '../server.ts'
import { freePort } from '../testing/server.ts'
import { testDatabase } from './testing.ts'
import { ensureTls } from './tls.ts'
import { keepTls, type OwnTls } from './tls-keeping.ts'

const log = createLog('test', 'silent')
let home = ''
beforeEach(async () => {
  home = await mkdtemp('/tmp/kalnet-test-')
})
afterEach(() => rm(home, { recursive: true, force: true }))

test('[NET-4.own-renewed] it is looked after every minute; what fails is tried again, the same again changes nothing', async () => {
  const clock = createManualClock()
  const stop = new AbortController()
  const current: OwnTls = { key: 'key 1', cert: 'one' }
  const answers: (OwnTls | Error)[] = [
    { key: 'key 1', cert: 'one' },
    new Error('the disk is full'),
    { key: 'key 2', cert: 'two' },
  ]
  const took: unknown[] = []
  let asked = 0
  const renew = async () => {
    const next = answers[asked++]
    if (!next || next instanceof Error) throw next ?? new Error('nothing')
    return next
  }
  const done = keepTls({ current, renew, took: (it) => void took.push(it.cert), clock, log }, stop.signal)
  for (let round = 1; round <= 3; round += 1) {
    await clock.pass(60_000)
    await expect.poll(() => asked).toBe(round)
  }
  await expect.poll(() => current).toEqual({ key: 'key 2', cert: 'two' })
  expect(took).toEqual(['two'])
  stop.abort()
  await done
})

test('[NET-4.own-renewed] new connections are shown the new certificate, and none that is open ends', async () => {
  const port = await freePort()
  const database = await testDatabase()
  const first = await ensureTls(home, ['localhost', '127.0.0.1'])
  const config = configSchema.parse({ listen: { port }, gateway: { enabled: false }, tls: { enabled: true } })
  const folders = { data: `${home}/data`, runtime: `${home}/run`, config: `${home}/config` }
  const tls = { key: first.key, cert: first.certificate }
  const server = await createServer({ config, folders, log, databaseUrl: database.url, tls })
  const sockets: TLSSocket[] = []
  const open = async () => {
    const socket = connect({ port, host: '127.0.0.1', ca: first.authority, servername: 'localhost' })
    sockets.push(socket)
    await once(socket, 'secureConnect')
    return socket
  }
  const names = (socket: TLSSocket) => socket.getPeerCertificate().subjectaltname ?? ''
  const answered = async (socket: TLSSocket) => {
    socket.write('GET /api/status HTTP/1.1\r\nhost: localhost\r\n\r\n')
    return String((await once(socket, 'data'))[0])
  }
  try {
    await server.listen()
    const before = await open()
    expect(await answered(before)).toMatch(/^HTTP\/1.1 200/)
    const second = await ensureTls(home, ['localhost', '127.0.0.1', '10.9.8.7'])
    server.http.secure({ key: second.key, cert: second.certificate })
    const after = await open()
    expect([names(before).includes('10.9.8.7'), names(after).includes('10.9.8.7')]).toEqual([false, true])
    for (const socket of [before, after]) expect(await answered(socket)).toMatch(/^HTTP\/1.1 200/)
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.close()
    await database.drop()
  }
})
