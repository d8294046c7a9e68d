/** What the tests of the way in stand on: a control plane and a controller as processes of their own, a real platform, a template of the test's. */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { controllerRoutes } from '@kalnet/contracts/controller'
import { type GatewayRoute, gatewayRoutes, type RouteFigures } from '@kalnet/contracts/gateway'
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import { testCache } from '@kalnet/controller/platforms/testing'
import { run, start } from '@kalnet/io/spawn'
import { testDatabase } from '@kalnet/server/core/testing'
import { askAt } from '@kalnet/server/testing/server'
import { createClient } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { CHECKOUT, freePort, tokenOf } from '../support/product.ts'
import { endProcess, startServerProcess } from '../support/server-process.ts'
import type { Asked, Came } from './load.ts'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
/** Without data, so that a release starts beside the last; how it is is asked at a port of its own. */
const template = (mark: string, program: string) => `id: answers
version: 1.0.0
name: Answers
summary: Says who it is
category: tools
licence: MIT
kind: service
inputs: [{ name: word, label: Word, type: text, default: one, environment: WORD }]
parts:
  - name: web
    image: { recipe: python }
    command: [/usr/bin/python3, -u, /run/kalnet/files/program.py]
    environment: { MARK: ${mark} }
    ports: [{ name: web, kind: http, at: { tcp: 8080 } }, { name: health, kind: http, at: { tcp: 8081 } }]
    resources: { cpus: 2, memoryBytes: 268435456, processes: 64, sharedMemoryBytes: 0 }
    probe: { kind: http, port: health, intervalMs: 500, failingIntervalMs: 500 }
    files:
      - name: program.py
        content: |
${program.replace(/^(?=.)/gm, ' '.repeat(10))}
doors: [{ port: web, kind: http, access: public }]
replicas: { most: 5 }
`

export type Stand = Awaited<ReturnType<typeof openStand>>

export async function openStand() {
  const home = await mkdtemp('/tmp/kn-b-')
  const mark = `behind-${randomBytes(6).toString('hex')}`
  const catalog = join(home, 'catalog')
  for (const folder of ['data', 'config', 'attic/data']) await mkdir(join(home, folder), { recursive: true })
  await mkdir(join(catalog, 'templates/answers'), { recursive: true })
  const program = await readFile(here('program.py'), 'utf8')
  await writeFile(join(catalog, 'templates/answers/template.yaml'), template(mark, program))
  await cp(join(CHECKOUT, 'catalog/templates/site/icon.svg'), join(catalog, 'templates/answers/icon.svg'))
  for (const image of ['base', 'python'])
    await cp(join(CHECKOUT, 'catalog/images', image), join(catalog, 'images', image), { recursive: true })
  await mkdir(join(testCache, 'images'), { recursive: true })
  await symlink(join(testCache, 'images'), join(home, 'attic/data/images'))

  const [database, port, gatewayPort] = [await testDatabase(), await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const children: ChildProcess[] = []
  const config = { listen: { port }, gateway: { httpPort: gatewayPort } }
  const { child: server, claim } = await startServerProcess({ config, databaseUrl: database.url, home })
  children.push(server)
  const client = createClient(url)
  await client.claim(tokenOf(claim))
  const asked = await askAt(
    { socketPath: join(home, 'run/control.sock') },
    'POST',
    '/api/local/controller-token',
    {
      body: { name: 'attic' },
    },
  )
  const words = ['controller', '--join', url, '--token', String(asked.body.token), '--platforms', 'process']
  children.push(
    start(join(CHECKOUT, 'kalnet'), words, {
      env: { ...process.env, KALNET_HOME: join(home, 'attic'), KALNET_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: '/',
    }),
  )

  await eventually(
    'a machine takes services',
    async () => {
      const { items } = await client.call(controllerRoutes.list, { query: {} })
      return items.some((it) => it.state === 'online')
    },
    60_000,
  )

  const read = (id: string) => client.call(serviceRoutes.read, { params: { id } })
  const stand = {
    client,
    gatewayPort,
    read,
    async until(
      id: string,
      what: string,
      fits: (it: Service) => boolean,
      limitMs = 60_000,
    ): Promise<Service> {
      let seen = await read(id)
      const look = async () => {
        seen = await read(id)
        return fits(seen)
      }
      await eventually(`${seen.name} is ${what}`, look, limitMs).catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(seen)}`)
      })
      return seen
    },
    async routeOf(serviceId: string): Promise<GatewayRoute> {
      const { items } = await client.call(gatewayRoutes.list, { query: { service: serviceId } })
      const [route] = items
      if (!route) throw new Error('it has no route')
      return route
    },
    async setPolicy(serviceId: string, policy: Partial<GatewayRoute['policy']>): Promise<void> {
      const route = await stand.routeOf(serviceId)
      await client.call(gatewayRoutes.change, {
        params: { id: route.id },
        body: { policy: { ...route.policy, ...policy } },
      })
    },
    async figuresOf(serviceId: string): Promise<RouteFigures> {
      const [{ id }, { routes }] = [await stand.routeOf(serviceId), await client.call(gatewayRoutes.figures)]
      const found = routes.find((it) => it.routeId === id)
      if (!found) throw new Error('the gateway has no figures of it')
      return found
    },
    /** Pids of the programs that say this word, as this machine sees them; without: of all. */
    async programs(word = ''): Promise<number[]> {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
      const found = await Promise.all(
        pids.map(async (pid) => {
          const said = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
          const all = (await said('environ')).split('\0')
          const mine = all.includes(`MARK=${mark}`) && all.some((it) => it.startsWith(`WORD=${word}`))
          return mine && /^\/usr\/bin\/python3\0/.test(await said('cmdline')) ? pid : null
        }),
      )
      return found.filter((pid) => pid !== null)
    },
    async residentBytes(): Promise<number> {
      const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024
    },
    /** Requests that go on until `end`, which answers what came of them. */
    async press(asked: Omit<Asked, 'port'>): Promise<{ end(): Promise<Came> }> {
      const child = start(
        process.execPath,
        [here('load.ts'), JSON.stringify({ port: gatewayPort, ...asked })],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      children.push(child)
      let text = ''
      const over = new Promise<Came>((resolve) => {
        child.once('close', () => resolve(JSON.parse(text.split('\n')[1] ?? 'null')))
      })
      await new Promise<void>((resolve) =>
        child.stdout?.on('data', (chunk) => {
          text += String(chunk)
          if (text.startsWith('begun\n')) resolve()
        }),
      )
      return {
        end() {
          if (asked.total === undefined) child.kill('SIGTERM')
          return over
        },
      }
    },
    async close() {
      const { items } = await client.call(serviceRoutes.list, { query: { limit: '100' } })
      for (const { id, kind } of items)
        if (kind === 'managed') await client.call(serviceRoutes.remove, { params: { id } })
      await eventually('no program is left', async () => (await stand.programs()).length === 0, 30_000)
      for (const child of children.reverse()) await endProcess(child)
      await database.drop()
      await rm(join(home, 'attic/data/images'), { force: true })
      await run('rm', ['-rf', '--one-file-system', home])
    },
  }
  return stand
}
