/** `kalnet service …` over a real unix socket: what each line asks for, what is said, and how it ends. */
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Release, Service } from '@kalnet/contracts/service'
import type { InstanceUse } from '@kalnet/contracts/use'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

const ID = '01a1fd3c-b7fd-7166-abd0-00000000000a'
const at = '2026-01-01T00:00:00.000Z'
const photos: Service = {
  id: ID,
  name: 'photos',
  title: 'Photos',
  kind: 'managed',
  templateId: 'immich',
  templateName: 'Immich',
  updateTo: '1.1.0',
  desired: 'running',
  state: 'running',
  reason: null,
  release: 2,
  version: '1.0.0',
  replicas: 1,
  instances: [
    {
      id: '01a1fd3c-b7fd-7166-abd0-00000000000b',
      part: 'web',
      number: 0,
      release: 2,
      generation: 3,
      state: 'running',
      health: { state: 'healthy', detail: 'It answered 200.', changedAt: at, tookMs: 2 },
      reason: null,
      progress: null,
      platform: 'process',
      controllerId: '01a1fd3c-b7fd-7166-abd0-00000000000c',
      controllerName: 'attic',
      restarts: 2,
      nextStartAt: null,
      startedAt: at,
    },
  ],
  metadata: { version: '1.0.0', tags: [], capabilities: ['http'] },
  url: 'https://photos.example.org',
  dependencies: ['store'],
  createdAt: at,
  changedAt: at,
}
const use: InstanceUse = {
  instanceId: '01a1fd3c-b7fd-7166-abd0-00000000000b',
  generation: 3,
  most: { cpus: 2, memoryBytes: 2_000_000_000 },
  now: { known: true, cpus: 0.254, memoryBytes: 312_000_000, at },
}
const release = (number: number, state: Release['state'], reason: string | null = null): Release => ({
  id: `01a1fd3c-b7fd-7166-abd0-0000000000${10 + number}`,
  serviceId: ID,
  serviceName: 'photos',
  number,
  version: '1.0.0',
  state,
  reason,
  byName: 'Ada',
  createdAt: at,
  liveAt: at,
})

const asked: string[] = []
/** What the next readings of the service say; the last one stays. */
let states: Partial<Service>[] = [{}]
let releases: Release[] = []
let home = NO_HOME
let server: Server
beforeAll(async () => {
  home = await temporaryHome()
  await mkdir(join(home.home, 'run'))
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { pathname, search } = new URL(request.url ?? '', 'http://x')
      if (request.method !== 'GET')
        asked.push(
          `${request.method} ${pathname.replace(ID, 'photos')}${search} ${Buffer.concat(chunks)}`.trim(),
        )
      const now = () => ({ ...photos, ...(states.length > 1 ? states.shift() : states[0]) })
      const said =
        request.method === 'DELETE'
          ? {}
          : pathname === '/api/services' && request.method === 'GET'
            ? { items: [photos], next: null }
            : pathname.startsWith('/api/templates/')
              ? TEMPLATE
              : pathname.endsWith('/secrets')
                ? { items: [{ name: 'password', label: 'Password' }] }
                : pathname.endsWith('/use')
                  ? { items: [use] }
                  : pathname.endsWith('/secrets/password')
                    ? { secret: 'a-long-one' }
                    : pathname.endsWith('/logs')
                      ? { lines: ['one', 'two'] }
                      : pathname.endsWith('/releases')
                        ? { items: releases, next: null }
                        : pathname.endsWith('/health')
                          ? {
                              items: [
                                {
                                  instanceId: ID,
                                  part: 'web',
                                  number: 0,
                                  state: 'unhealthy',
                                  detail: 'It answered 500.',
                                  tookMs: 1,
                                  at,
                                },
                              ],
                              next: null,
                            }
                          : now()
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    })
  })
  await new Promise<void>((resolve) => server.listen(join(home.home, 'run/control.sock'), resolve))
})
afterAll(async () => {
  server.close()
  await home.remove()
})
beforeEach(() => {
  asked.splice(0)
  states = [{}]
  releases = [release(2, 'live'), release(1, 'replaced')]
})

const TEMPLATE = {
  id: 'immich',
  kind: 'service',
  version: '1.1.0',
  name: 'Immich',
  summary: 'Photos',
  description: '',
  category: 'media',
  keywords: [],
  icon: '/api/templates/immich/icon',
  licence: 'MIT',
  docs: null,
  platforms: ['process'],
  inputs: [
    { name: 'title', label: 'Title', type: 'text', required: false, maxLength: 200, environment: 'TITLE' },
    { name: 'many', label: 'Many', type: 'number', required: false, maxLength: 200, environment: 'MANY' },
  ],
  memoryBytes: 1,
  network: 'local',
  doors: [],
  dependencies: [],
  replicasMost: 1,
  proved: false,
  deprecated: null,
}
const installing =
  'POST /api/services {"templateId":"immich","name":"photos","answers":{"title":"7","many":7},"replicas":2,"labels":{"room":"attic"},"dependencies":{"store":"01a1fd3c-b7fd-7166-abd0-00000000000a"}}'

type Line = [string[], number, RegExp, string[]]
const LINES: Line[] = [
  [['ls'], 0, /^photos +Photos +running +1\.0\.0 +https:\/\/photos\.example\.org$/m, []],
  [['show', 'photos'], 0, /web-0: running, healthy on attic \(process\), started again 2 times/, []],
  [
    ['show', 'photos'],
    0,
    /^ +uses 0\.25 of 2 processors, 312 MB of 2\.0 GB of memory, measured \d+ \w+ ago$/m,
    [],
  ],
  [['show', 'photos', '--json'], 0, /"cpus": ?0\.254/, []],
  [['show', '000a'], 0, /version 1\.1\.0 is there: kalnet service update photos/, []],
  [['secret', 'photos'], 0, /^a-long-one$/m, ['POST /api/services/photos/secrets/password {}']],
  [['secret', 'photos', 'other'], 2, /no password called other[\s\S]*password/, []],
  [['show', 'potos'], 2, /Did you mean photos\?/, []],
  [
    [
      'install',
      'immich',
      '--name',
      'photos',
      '--answer',
      'title=7',
      'many=7',
      '--use',
      'store=photos',
      '--replicas',
      '2',
      '--on',
      'room=attic',
    ],
    0,
    /Photos \(photos\) is running\.\n {2}open it/,
    [installing],
  ],
  [['install', 'immich', '--platform', 'moon'], 2, /There is no platform called moon\./, []],
  [['install', 'immich', '--answer', 'title'], 2, /An answer is name=value, not title\./, []],
  [['install', 'immich', '--replicas', 'two'], 2, /two is not a number\./, []],
  [['restart', 'photos'], 0, /^photos is running\.$/m, ['POST /api/services/photos/restart {}']],
  [
    ['finish', 'photos'],
    0,
    /still open at the last release of photos/,
    ['POST /api/services/photos/finish {}'],
  ],
  [['stop', 'photos', '--no-wait'], 0, /photos is/, ['POST /api/services/photos/stop {}']],
  [['update', 'photos'], 0, /release 2/, ['POST /api/services/photos/update {}']],
  [
    ['update', 'photos', '--answer', 'many=9'],
    0,
    /release 2/,
    ['POST /api/services/photos/update {"answers":{"many":9}}'],
  ],
  [['rollback', 'photos'], 0, /release 2/, ['POST /api/services/photos/update {"release":1}']],
  [['rollback', 'photos', 'x'], 2, /x is not the number of a release\./, []],
  [['remove', 'photos'], 4, /still there[\s\S]*--data keep --yes/, []],
  [['remove', 'photos', '--yes'], 0, /what it kept stays\.$/m, ['DELETE /api/services/photos?data=keep']],
  [
    ['remove', 'photos', '--data', 'remove', '--yes'],
    0,
    /with all that it kept\.$/m,
    ['DELETE /api/services/photos?data=remove'],
  ],
  [['remove', 'photos', '--data', 'burn', '--yes'], 2, /`keep` or `remove`/, []],
  [['logs', 'photos', '--lines', '2'], 0, /^one\ntwo$/m, []],
  [['releases', 'photos'], 0, /^1 +1\.0\.0 +replaced .* Ada$/m, []],
  [['health', 'photos'], 0, /^web-0 +unhealthy .* It answered 500\.$/m, []],
]
describe('lines', () => {
  it.each(LINES.map((line) => [line[0].join(' '), line] as const))(
    '[NET-5.command] service %s',
    async (_name, line) => {
      const [args, code, words, wanted] = line
      const said = await cli(home.home, 'service', ...args)
      expect(said.out + said.err).toMatch(words)
      expect([said.code, asked]).toEqual([code, wanted])
    },
  )

  it('[NET-5.command] it says how far it is, and waits', async () => {
    states = [{ state: 'starting' }, { state: 'starting', reason: 'Making its image' }, { state: 'running' }]
    const said = await cli(home.home, 'service', 'start', 'photos')
    expect([said.code, said.out]).toEqual([0, 'photos is running.\n'])
  })
  it('[NET-5.command] what failed is said, with what to do next', async () => {
    states = [{ state: 'failed', reason: 'It crashed.' }]
    const said = await cli(home.home, 'service', 'start', 'photos')
    expect([said.code, said.err]).toEqual([
      1,
      expect.stringMatching(/It crashed\.\n→ Read `kalnet service logs photos`\./),
    ])
  })
  it('[NET-5.command] an update that did not work ends with 1', async () => {
    states = [
      { state: 'updating' },
      { state: 'running', reason: 'Release 3 did not work, the one before is back: it crashed' },
    ]
    releases = [release(3, 'failed', 'it crashed'), ...releases]
    const said = await cli(home.home, 'service', 'update', 'photos', '--json')
    expect([said.code, JSON.parse(said.out)]).toEqual([1, expect.objectContaining({ failed: releases[0] })])
  })
  it.each([
    'ls',
    'show',
    'install',
    'start',
    'stop',
    'restart',
    'update',
    'rollback',
    'remove',
    'logs',
    'releases',
    'health',
  ])('[NET-5.command] help of %s has an example', async (verb) => {
    const { code, out } = await cli(home.home, 'service', verb, '--help')
    expect([code, out]).toEqual([0, expect.stringContaining(`kalnet service ${verb} `)])
  })
})
