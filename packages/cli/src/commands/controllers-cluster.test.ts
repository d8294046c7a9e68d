/** `kalnet controllers enrol --platform kubernetes` and `show` over a real unix socket: what is asked, and what stands where. */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { ClusterView } from '@kalnet/contracts/cluster'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

const ID = '01a1fd3c-b7fd-7166-abd0-00000000000c'
const MANIFEST = 'kind: Namespace\nmetadata: {name: kalnet}\n---\nkind: Secret\n'
const amounts = (cpus: number, memoryBytes: number, pods: number) => ({ cpus, memoryBytes, pods })
const machine = {
  name: 'worker-1',
  ready: true,
  detail: '',
  cordoned: false,
  capacity: amounts(4, 16e9, 110),
  allocatable: amounts(4, 15e9, 110),
  ours: amounts(0.5, 2e9, 3),
  others: null,
}
const CLUSTER: ClusterView = {
  version: 'v1.34.4',
  namespaces: ['kalnet-instances'],
  machines: [machine, { ...machine, name: 'worker-2', ready: false, detail: 'It does not answer' }],
  machineCount: 2,
  waiting: [
    {
      instanceId: ID,
      text: 'No machine of the cluster has enough free memory',
      since: new Date(Date.now() - 300_000).toISOString(),
      of: { kind: 'session', id: ID, name: 'Video editing' },
    },
  ],
  waitingCount: 3,
  missing: [{ right: 'list, watch pods in the whole cluster', why: 'what others have asked for' }],
  images: [{ name: 'terminal', there: 1, machines: 2, problem: null }],
  registry: { address: 'https://r.example.com/kalnet', state: 'away', detail: 'no answer' },
  storageClasses: [{ name: 'fast', usual: true, chosen: false }],
}
const CONTROLLER = {
  id: ID,
  name: 'cloud',
  hostname: null,
  version: '1',
  state: 'online',
  lastSeenAt: new Date().toISOString(),
  fingerprints: [],
  capacity: null,
  instances: 3,
  cordoned: true,
  labels: {},
  installation: false,
  createdAt: '2026-01-01T00:00:00.000Z',
}

const asked: unknown[] = []
let cluster: ClusterView | null = CLUSTER
let joins = 'https://house.example:7400'
let home = NO_HOME
let server: Server
beforeAll(async () => {
  home = await temporaryHome()
  await mkdir(join(home.home, 'run'))
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { pathname } = new URL(request.url ?? '', 'http://x')
      const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {}
      if (pathname.endsWith('/tokens')) asked.push(body)
      const said = pathname.endsWith('/homes')
        ? { items: [{ controllerId: ID, homes: 2, bytes: 2e9, reservedBytes: 1e10, unknown: 0 }] }
        : pathname.endsWith('/cluster')
          ? { toldAt: CONTROLLER.lastSeenAt, cluster }
          : pathname.endsWith('/tokens')
            ? {
                token: 'kce_x',
                expiresAt: '2026-01-01T01:00:00.000Z',
                command: `./kalnet controller --join ${joins} --token kce_x --platforms kubernetes`,
                manifest: MANIFEST,
              }
            : { items: [CONTROLLER], next: null }
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
  cluster = CLUSTER
  joins = 'https://house.example:7400'
})
const controllers = (...words: string[]) => cli(home.home, 'controllers', ...words)
const enrol = (...words: string[]) => controllers('enrol', 'cloud', '--platform', 'kubernetes', ...words)

describe('[K8S-2.enrol] kalnet controllers enrol --platform kubernetes', () => {
  test('prints the manifest and nothing else, so that kubectl takes it; what there is to know is beside it', async () => {
    const { code, out, err } = await enrol(
      '--registry',
      'https://r.example.com/kalnet',
      '--image',
      'r.example.com/kalnet:1',
    )
    expect([code, out]).toEqual([0, MANIFEST])
    expect(err).toMatch(/works once, until 2026-01-01 01:00 UTC/)
    expect(err).not.toMatch(/kalnet:local|--registry/)
    expect(asked).toEqual([
      {
        name: 'cloud',
        cluster: {
          namespace: 'kalnet',
          registry: 'https://r.example.com/kalnet',
          image: 'r.example.com/kalnet:1',
          keeps: true,
          readMachines: true,
          readPods: false,
          perOrganisation: false,
          outside: false,
        },
      },
    ])
  })

  test('says what will not work: an address that only this machine reaches, no registry, no image, no volume', async () => {
    joins = 'https://localhost:7400'
    const { err } = await enrol('--no-volume', '--no-machines', '--read-pods')
    expect(err).toMatch(/cannot reach https:\/\/localhost:7400.*--url/)
    expect(err).toMatch(/--registry/)
    expect(err).toMatch(/kalnet:local/)
    expect(err).toMatch(/enrolled again/)
    expect(asked).toMatchObject([{ cluster: { keeps: false, readMachines: false, readPods: true } }])
  })

  test('writes it for its owner alone, or gives all of it as JSON', async () => {
    const folder = join(home.home, 'cluster')
    const { code, out } = await enrol('--out', folder)
    const file = join(folder, 'controller.yaml')
    expect([code, out]).toEqual([0, expect.stringContaining(`kubectl apply -f ${file}`)])
    expect(await readFile(file, 'utf8')).toBe(MANIFEST)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const json = JSON.parse((await enrol('--json')).out)
    expect(json).toMatchObject({ token: 'kce_x', manifest: MANIFEST })
    // Who writes it to a file has the token there.
    expect((await enrol('--json', '--out', folder)).out).not.toContain('kce_x')
  })

  test('for one that runs elsewhere says how it comes to the token of its account, and what to run', async () => {
    const { out, err } = await enrol('--outside', '--namespace', 'place')
    expect(out).toBe(MANIFEST)
    expect(err).toMatch(/kubectl -n place get secret kalnet-controller-token/)
    expect(err).toMatch(/namespace: place-instances/)
    expect(err).toMatch(/kalnet controller --join/)
  })

  test('[K8S-1.spaces] with a namespace for each organisation, and says so to one that runs elsewhere', async () => {
    const { err } = await enrol('--outside', '--per-organisation')
    expect(err).toMatch(/namespace: kalnet-instances, namespaces: per-organisation\)/)
    await enrol('--per-organisation')
    expect(asked).toMatchObject([
      { cluster: { perOrganisation: true, outside: true } },
      { cluster: { perOrganisation: true, outside: false } },
    ])
    expect((await controllers('enrol', 'x', '--per-organisation')).err).toMatch(/--platform kubernetes/)
  })

  test.each([
    [['enrol', 'x', '--platform', 'docker'], /as a machine is/],
    [['enrol', 'x', '--registry', 'https://r'], /--platform kubernetes/],
  ])('%j is refused before anything is asked', async (words, said) => {
    const { code, err } = await controllers(...words)
    expect([code, err, asked]).toEqual([2, expect.stringMatching(said), []])
  })

  test('help has examples', async () => {
    expect((await controllers('enrol', '--help')).out).toMatch(/kubectl apply -f -/)
    expect((await controllers('show', '--help')).out).toMatch(/jq \.cluster\.waiting/)
  })
})

describe('[K8S-1.machines] kalnet controllers show', () => {
  test('[CTL-5.waiting] shows machines, what waits and why, and what is not known', async () => {
    const { code, out } = await controllers('show', 'cloud')
    expect(code).toBe(0)
    expect(out).toMatch(/takes nothing new/)
    expect(out).toMatch(/worker-1 +ready +3 +0\.5 ours of 4\.0 +2\.0 GB ours of 15\.0 GB/)
    expect(out).toMatch(/worker-2 +It does not answer/)
    expect(out).toMatch(/Video editing +5 minutes +No machine of the cluster/)
    expect(out).toMatch(/and 2 more/)
    expect(out).toMatch(/registry +https:\/\/r\.example\.com\/kalnet, does not answer, no answer/)
    expect(out).toMatch(/ahead +terminal on 1 of 2 machines/)
    expect(out).toMatch(/list, watch pods in the whole cluster: what others have asked for/)
  })
  test('as JSON is all of it; a machine has no cluster', async () => {
    expect(JSON.parse((await controllers('show', 'cloud', '--json')).out)).toMatchObject({
      name: 'cloud',
      cluster: CLUSTER,
    })
    cluster = null
    expect((await controllers('show', 'cloud')).out).not.toMatch(/MACHINE/)
    cluster = { ...CLUSTER, machines: null, waiting: [], waitingCount: 0 }
    expect((await controllers('show', 'cloud')).out).toMatch(/machines are not known[\s\S]*Nothing waits/)
  })
})
