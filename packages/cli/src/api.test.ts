/** The local client over a real unix socket: what is sent, and what each answer becomes. */
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { sessionRoutes } from '@kalnet/contracts/session'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { address, createApi } from './api.ts'
import { explain } from './problem.ts'
import { NO_HOME, temporaryHome } from './testing.ts'

const ID = '01a1fd3c-b7fd-7166-abd0-873b1bfd0d28'
const seen: string[] = []
let reply: { status: number; text: string } = { status: 200, text: '{}' }
let it = NO_HOME
let server: Server
beforeAll(async () => {
  it = await temporaryHome()
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`)
      answer.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.text)
    })
  })
  await new Promise<void>((resolve) => server.listen(join(it.home, 's'), resolve))
})
afterAll(async () => {
  server.close()
  await it.remove()
})
const call = () => createApi(join(it.home, 's')).call(sessionRoutes.logs, { params: { id: ID } })

test('parameters and queries are filled in and escaped', () => {
  expect(address('/api/x/:id', { id: 'a/b' }, { after: undefined, limit: 2 })).toBe('/api/x/a%2Fb?limit=2')
})

test('a good answer is parsed by the route', async () => {
  reply = { status: 200, text: '{"lines":["one"]}' }
  expect(await call()).toEqual({ lines: ['one'] })
  expect(seen.at(-1)).toBe(`GET /api/sessions/${ID}/logs `)
})

const answers: [string, number, string, RegExp][] = [
  [
    'of the table',
    404,
    '{"error":{"code":"thing.unknown","message":"x","next":"y","details":{"kind":"session"},"requestId":"r"}}',
    /^There is no session with this id/,
  ],
  [
    'of a newer table',
    409,
    '{"error":{"code":"new.code","message":"Newer.","next":"y","details":{},"requestId":"r"}}',
    /^Newer/,
  ],
  ['in no form', 502, '<html>', /cannot be read/],
  ['empty', 500, '', /status 500/],
]
test.each(answers)('an error %s is a sentence', async (_name, status, text, message) => {
  reply = { status, text }
  const error = await call().catch((it: unknown) => it)
  expect(explain(error).message).toMatch(message)
})

test('nobody behind the socket: not running', async () => {
  const error = await createApi(join(it.home, 'none'))
    .call(sessionRoutes.logs, { params: { id: ID } })
    .catch((it: unknown) => it)
  expect(explain(error).exit).toBe(3)
})
