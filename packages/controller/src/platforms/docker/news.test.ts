/** What the engine tells of itself, by a stand-in that answers as it does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEngine } from './engine.ts'
import { createNews } from './news.ts'

const folder = mkdtempSync('/tmp/kalnet-engine-')
const socketPath = join(folder, 'engine.sock')
const BUILT = 'b'.repeat(64)
let images: object[] = []
let engine: Server
beforeEach(async () => {
  engine = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').split('?')[0]
    if (path === '/events') return void response.writeHead(200).flushHeaders()
    const answer = path === '/images/json' ? images : { Version: '28.0.0', ApiVersion: '1.51' }
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => engine.listen(socketPath, resolve))
})
afterEach(async () => {
  engine.closeAllConnections()
  await new Promise((resolve) => engine.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

test('[CTL-5.image] images of somebody else are told by their names, again when one came; ours by what they are made of', async () => {
  images = [
    { RepoTags: ['nginx:1.27'], RepoDigests: ['nginx@sha256:aa'] },
    { RepoTags: ['<none>:<none>'], RepoDigests: null },
    { RepoTags: ['kalnet/terminal:00', 'kalnet-ab12/terminal:00'] },
  ]
  const news = createNews({
    engine: createEngine(socketPath),
    networks: { isPossible: false, keep: async () => undefined, mend: async () => false },
    images: {
      list: async () => [
        {
          digest: BUILT,
          name: 'terminal',
          layers: [BUILT],
          sizeBytes: 1,
          ownBytes: 1,
          packages: 1,
          builtAt: '2026-01-01T00:00:00.000Z',
          buildMs: 1,
        },
      ],
    },
    installation: 'ab12',
    list: async () => [],
    clock: systemClock,
    log: createLog('test', 'silent'),
    lookEveryMs: 20,
  })
  const stop = new AbortController()
  const told: string[][] = []
  for await (const it of news.fingerprint(stop.signal)) {
    told.push(it.images)
    if (told.length === 1) images = [...images, { RepoTags: ['redis:7'] }]
    else stop.abort()
  }
  expect(told).toEqual([
    [BUILT, 'nginx:1.27', 'nginx@sha256:aa'],
    [BUILT, 'nginx:1.27', 'nginx@sha256:aa', 'redis:7'],
  ])
})
