/** `kalnet controllers …` over a real unix socket: what each line asks for, and what is said. */
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Controller } from '@kalnet/contracts/controller'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'
import { labelled } from './controllers-change.ts'

const machine = (end: string, change: Partial<Controller>): Controller => ({
  id: `01a1fd3c-b7fd-7166-abd0-${end}`,
  name: 'attic',
  hostname: 'attic',
  version: '1',
  state: 'online',
  lastSeenAt: null,
  fingerprints: [],
  capacity: null,
  instances: 0,
  cordoned: false,
  labels: {},
  installation: true,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...change,
})
const ATTIC = machine('00000000000a', { labels: { room: 'attic', gpu: 'none' }, cordoned: true })
const CELLAR = machine('00000000000b', { name: 'cellar', instances: 2 })

const asked: string[] = []
let home = NO_HOME
let server: Server
beforeAll(async () => {
  home = await temporaryHome()
  await mkdir(join(home.home, 'run'))
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const { pathname } = new URL(request.url ?? '', 'http://x')
      const found = [ATTIC, CELLAR].find(({ id }) => pathname.includes(id))
      if (request.method !== 'GET') asked.push(`${request.method} ${found?.name} ${text}`)
      const said =
        request.method === 'GET'
          ? { items: [ATTIC, CELLAR], next: null }
          : request.method === 'PATCH'
            ? { ...found, ...JSON.parse(text) }
            : pathname.endsWith('/rotate')
              ? {}
              : { stopping: found?.instances }
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    })
  })
  await new Promise<void>((resolve) => server.listen(join(home.home, 'run/control.sock'), resolve))
})
afterAll(async () => {
  server.close()
  await home.remove()
})
beforeEach(() => void asked.splice(0))

type Line = [string[], number, RegExp, string[]]
const cordons: Line[] = [
  [['cordon', 'cellar'], 0, /^cellar takes nothing new\.$/m, ['PATCH cellar {"cordoned":true}']],
  [['uncordon', '000a'], 0, /^attic takes new sessions again\.$/m, ['PATCH attic {"cordoned":false}']],
  [['cordon', 'celar'], 2, /Did you mean cellar\?/, []],
  [['cordon', '01a1fd3c'], 2, /More than one controller/, []],
]
const drains: Line[] = [
  [['drain', 'attic'], 0, /attic takes nothing new; 0 sessions end|nothing was running/, ['POST attic {}']],
  [['drain', 'cellar'], 4, /2 sessions run on cellar[\s\S]*drain cellar --yes/, []],
  [['drain', 'cellar', '--yes'], 0, /cellar takes nothing new; 2 sessions end\./, ['POST cellar {}']],
]
const labels: Line[] = [
  [
    ['label', 'attic', 'room=loft', 'gpu-', 'size=big'],
    0,
    /^room=loft size=big$/m,
    ['PATCH attic {"labels":{"room":"loft","size":"big"}}'],
  ],
  [['label', 'attic'], 0, /^room=attic gpu=none$/m, []],
  [['label', 'cellar'], 0, /^cellar has no labels\.$/m, []],
  [['label', 'cellar', 'room'], 2, /A label is key=value, not room\./, []],
]
const rotations: Line[] = [
  [['rotate', 'attic'], 0, /^attic has a new key\.$/m, ['POST attic {}']],
  [['rotate', '000b'], 0, /^cellar has a new key\.$/m, ['POST cellar {}']],
  [['rotate', 'celar'], 2, /Did you mean cellar\?/, []],
]
const check = async ([args, code, words, wanted]: Line) => {
  const said = await cli(home.home, 'controllers', ...args)
  expect(said.out + said.err).toMatch(words)
  expect([said.code, asked]).toEqual([code, wanted])
}

describe('lines', () => {
  it.each(cordons.map((line) => [line[0].join(' '), line] as const))(
    '[CTL-4.cordon] controllers %s',
    (_name, line) => check(line),
  )
  it.each(drains.map((line) => [line[0].join(' '), line] as const))(
    '[CTL-4.drain] controllers %s',
    (_name, line) => check(line),
  )
  it.each(labels.map((line) => [line[0].join(' '), line] as const))(
    '[CTL-4.labels] controllers %s',
    (_name, line) => check(line),
  )
  it.each(rotations.map((line) => [line[0].join(' '), line] as const))(
    '[CTL-2.rotation] controllers %s',
    (_name, line) => check(line),
  )
})

test('[CTL-4.labels] the list shows what takes nothing new, and the labels', async () => {
  const { out } = await cli(home.home, 'controllers', 'list')
  expect(out).toMatch(/LABELS/)
  expect(out).toMatch(/attic +online, takes nothing new .*room=attic gpu=none/)
  expect(out).toMatch(/cellar +online /)
})

test('[CTL-4.labels] a launch may ask for labels; a wrong one is refused before anything is asked', async () => {
  const wrong = await cli(home.home, 'sessions', 'run', 'terminal', '--on', 'attic')
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('A label is key=value, not attic.')])
  await cli(home.home, 'sessions', 'run', 'terminal', '--no-wait', '--on', 'room=attic', 'gpu=none')
  expect(asked).toEqual([
    'POST undefined {"templateId":"terminal","answers":{},"labels":{"room":"attic","gpu":"none"}}',
  ])
})

test.each([
  [['drain', '--help'], /kalnet controllers drain attic/],
  [['label', '--help'], /room=attic gpu-/],
  [['rotate', '--help'], /kalnet controllers rotate attic/],
])('help of controllers %s has an example', async (args, words) => {
  const { code, out } = await cli(home.home, 'controllers', ...args)
  expect([code, out]).toEqual([0, expect.stringMatching(words)])
})

test.each<[string[], Record<string, string>]>([
  [[], { room: 'attic', gpu: 'none' }],
  [['gpu-'], { room: 'attic' }],
  [['gpu-', 'gpu=big'], { room: 'attic', gpu: 'big' }],
  [['room=a-'], { room: 'a-', gpu: 'none' }],
  [['unknown-'], { room: 'attic', gpu: 'none' }],
])('[CTL-4.labels] %j changes the labels', (words, after) => {
  expect(labelled({ room: 'attic', gpu: 'none' }, words)).toEqual(after)
})
