/** Images into a registry: only what is missing, whoever asks, whatever the registry answers. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recipe } from '@kalnet/contracts/recipe'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { must } from '@kalnet/io/spawn'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { createImages, type Images } from '../images.ts'
import { createRegistryImages, type RegistryImages } from './push.ts'
import type { ImageRegistry } from './settings.ts'
import { openRegistry, type TestRegistry } from './testing.ts'

const PIECE = 8 << 20
const base = recipe.parse({ name: 'base' })
const app = recipe.parse({ name: 'app', packages: ['hello'] })
const other = recipe.parse({ name: 'other', packages: ['other'] })
/** Waits are not waited for. */
const clock = { ...systemClock, sleep: async () => undefined }
const log = createLog('test', 'silent')

const folder = mkdtempSync(join(tmpdir(), 'kalnet-oci-'))
let registry: TestRegistry
let images: Images
let pushes: RegistryImages
let built: string[] = []
const said: string[] = []

/** Every layer adds a file of its own; `large` ones are three pieces long. */
const openImages = (sizes: Record<string, number> = {}, at = folder) =>
  createImages({
    folder: at,
    log,
    async makeLayer({ layer, below, stage }) {
      built.push(layer.name)
      const root = join(stage, 'root')
      await mkdir(root)
      if (below) await must('cp', ['-a', `${below}/.`, root])
      await writeFile(join(root, layer.name), randomBytes(sizes[layer.name] ?? 100))
    },
  })

/** Roots are built once for all tests; what was pushed is forgotten. */
beforeEach(async () => {
  registry = await openRegistry()
  said.length = 0
  images = openImages()
  pushes = createRegistryImages({ images, clock })
})
afterEach(async () => {
  await pushes.close()
  await registry.close()
  rmSync(join(folder, 'pushed'), { recursive: true, force: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const push = (
  chain = [base, app],
  more: Partial<ImageRegistry> = {},
  prefer: 'there' | 'here' = 'here',
  signal = AbortSignal.timeout(20_000),
) =>
  pushes.ensurePushed({
    chain,
    registry: { url: registry.url, repositoryPrefix: 'team/kalnet', ...more },
    signal,
    prefer,
    say: ({ text }) => said.push(text),
  })

test('[K8S-2.push] an image goes there once; the second time is one question, and nothing is sent', async () => {
  const first = await push()
  expect(first.blobs).toEqual({ sent: 3, there: 0, lent: 0 })
  expect(first.reference).toBe(`127.0.0.1:${registry.port}/team/kalnet/app@${first.digest}`)
  expect(first.tagged).toMatch(/\/team\/kalnet\/app:[0-9a-f]{20}-\w+$/)
  registry.counts()
  const again = await push()
  expect(again).toMatchObject({ reference: first.reference, sentBytes: 0, blobs: { sent: 0 } })
  expect(registry.counts()).toEqual({ 'HEAD manifest': 1 })
  expect((await pushes.list()).map((one) => one.reference)).toEqual([first.reference])
  expect(readdirSync(join(folder, 'stage'))).toEqual([])
})

test('[K8S-2.push-shared] another recipe on the same base is lent it, a changed one sends only what changed', async () => {
  await push()
  expect((await push([base, other])).blobs).toEqual({ sent: 2, there: 0, lent: 1 })
  const changed = { ...app, packages: ['hello', 'more'] }
  expect((await push([base, changed])).blobs).toEqual({ sent: 2, there: 1, lent: 0 })
})

test('[K8S-2.push-there] what another machine has pushed of the recipe is taken as it is: nothing is built', async () => {
  const first = await push()
  const elsewhere = join(folder, 'elsewhere')
  const theirs = createRegistryImages({ images: openImages({}, elsewhere), clock })
  built = []
  const request = {
    chain: [base, app],
    registry: { url: registry.url, repositoryPrefix: 'team/kalnet' },
    signal: AbortSignal.timeout(20_000),
    say: () => undefined,
  }
  const found = await theirs.ensurePushed(request)
  expect([found.reference, built]).toEqual([first.reference, []])
  // The registry is away later on: machines that have it can start it all the same.
  await registry.close()
  expect((await theirs.ensurePushed(request)).reference).toBe(first.reference)
  await theirs.close()
})

test('what stands under our name but is something else is not taken for ours', async () => {
  const { digest } = await push()
  const mine = registry.manifests.get(`team/kalnet/app ${digest}`)?.toString() ?? ''
  await pushes.close()
  rmSync(join(folder, 'pushed'), { recursive: true })
  const tag = [...registry.manifests.keys()].find((key) => !key.includes('sha256:')) ?? ''
  registry.manifests.set(tag, Buffer.from(mine.replace(images.digest([base, app]), '0'.repeat(64))))
  expect((await push(undefined, {}, 'there')).digest).toBe(digest)
  expect(registry.manifests.get(tag)?.toString()).toBe(mine)
})

test('a root that was built again is pushed again, by a person', async () => {
  const first = await push()
  await images.prune(new Set(), AbortSignal.timeout(10_000))
  expect((await push(undefined, {}, 'there')).digest).toBe(first.digest)
  expect((await push()).digest).not.toBe(first.digest)
})

test('[K8S-2.push-once] many at once push once; who gives up does not stop the others', async () => {
  const stop = new AbortController()
  const all = [push(), push([base, app], {}, 'here', stop.signal), push(), push([base, other])]
  stop.abort(new Error('changed my mind'))
  await expect(all[1]).rejects.toThrow('changed my mind')
  const [first, , third] = await Promise.all([all[0], null, all[2], all[3]])
  expect(first?.digest).toBe(third?.digest)
  expect(registry.counts()['PUT manifest']).toBe(2)
})

const credentials = { user: 'kalnet', password: 'open sesame' }
test.each(['basic', 'bearer'] as const)(
  '[K8S-2.push-signed-in] %s: the password is said only when it is asked for',
  async (scheme) => {
    registry.signIn = { scheme, ...credentials }
    const done = await push(undefined, { credentials })
    expect(done.blobs.sent).toBe(3)
    expect(registry.seen[0]?.authorization).toBeUndefined()
    const tokens = registry.seen.filter((one) => one.path.startsWith('/token'))
    expect(tokens.length).toBe(scheme === 'basic' ? 0 : 1)
    if (scheme === 'bearer')
      expect(registry.seen.filter((one) => one.authorization?.startsWith('Basic'))).toEqual(tokens)
  },
)

test.each(['basic', 'bearer'] as const)(
  '[K8S-2.push-refused] %s: a wrong password, or none, is said, once',
  async (scheme) => {
    registry.signIn = { scheme, ...credentials }
    await expect(push(undefined, { credentials: { user: 'kalnet', password: 'wrong' } })).rejects.toThrow(
      /does not accept these credentials/,
    )
    expect(registry.seen.filter((one) => one.authorization !== undefined)).toHaveLength(1)
    await expect(push()).rejects.toThrow(
      scheme === 'basic' ? /give it a user name and a password/ : /credentials/,
    )
    expect(JSON.stringify(said)).not.toContain('sesame')
  },
)

test('[K8S-2.push-refused] a password never goes where it is not encrypted, nor to an address inside', async () => {
  registry.signIn = { scheme: 'bearer', ...credentials, realm: 'http://sign-in.example/token' }
  await expect(push(undefined, { credentials })).rejects.toThrow(/without encryption, so nothing was sent/)
  registry.signIn.realm = 'https://169.254.169.254/token'
  await expect(push(undefined, { credentials })).rejects.toThrow(/not allowed/)
  expect(registry.seen.filter((one) => one.authorization !== undefined)).toEqual([])
})

test('[K8S-2.push-resumed] a connection that breaks in the middle of a layer goes on where it broke', async () => {
  images = openImages({ large: 2.5 * PIECE })
  pushes = createRegistryImages({ images, clock })
  let broken = 0
  registry.fault = (request) => {
    if (request.method !== 'PATCH' || Number(request.headers['content-length']) < PIECE) return false
    broken += 1
    if (broken !== 2) return false
    request.socket.destroy()
    return true
  }
  const done = await push([base, recipe.parse({ name: 'large' })])
  expect(done.blobs.sent).toBe(3)
  const large = registry.seen.filter((one) => one.method === 'PATCH' && one.bytes > 1_000_000)
  expect(large.map((one) => Math.min(one.bytes, PIECE))).toHaveLength(3)
  expect(registry.counts()['GET upload']).toBe(1)
})

test('[K8S-2.push-resumed] a registry that forgot an upload gets it from the beginning, five times at most', async () => {
  let forgets = 1
  registry.fault = (request, response) => {
    if (request.method !== 'PATCH' || forgets-- <= 0) return false
    response.writeHead(404).end()
    return true
  }
  expect((await push()).blobs.sent).toBe(3)
  forgets = 1_000
  await expect(push([base, other, app])).rejects.toThrow(/lost it 5 times/)
})

test('[K8S-2.push-retried] what may pass is tried again, and its end is said', async () => {
  let failing = 3
  registry.fault = (_, response) => {
    if (failing-- <= 0) return false
    response.writeHead(failing % 2 ? 503 : 500, { 'retry-after': '1' }).end('<html>oh</html>')
    return true
  }
  expect((await push()).blobs.sent).toBe(3)
  failing = 1_000
  await expect(push([base, other])).rejects.toThrow(/answered 50\d.*Tried 5 times/)
  await registry.close()
  await expect(push([base, other])).rejects.toThrow(/cannot be reached.*Tried 5 times/)
})

test('[K8S-2.push-elsewhere] a layer, and what signs us in, is never sent to an address that nobody gave', async () => {
  let reached = 0
  const thief = createServer((_, response) => {
    reached += 1
    response.writeHead(202, { location: '/x' }).end()
  })
  await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve))
  const theirs = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/v2/x`
  registry.fault = (request, response) => {
    if (request.method !== 'POST') return false
    response.writeHead(202, { location: theirs }).end()
    return true
  }
  await expect(push()).rejects.toThrow(/which was not given as the registry; nothing was sent there/)
  registry.fault = (_, response) => {
    response.writeHead(302, { location: theirs }).end()
    return true
  }
  await expect(push()).rejects.toThrow(/sends us elsewhere \(127\.0\.0\.1/)
  expect(reached).toBe(0)
  thief.close()
})

const hostile: [string, (response: import('node:http').ServerResponse, method: string) => void, RegExp][] = [
  [
    'an endless answer',
    (it, method) =>
      method === 'HEAD' ? it.writeHead(404).end() : it.writeHead(500).write(Buffer.alloc(6 << 20, 'x')),
    /larger than/,
  ],
  ['a page of a proxy', (it) => it.writeHead(403).end('<html>blocked</html>'), /does not let this account/],
  [
    'an upload that leads nowhere',
    (it, method) => it.writeHead(method === 'POST' ? 202 : 404).end(),
    /does not say where/,
  ],
  [
    'more bytes than were sent',
    (it, method) =>
      it
        .writeHead(method === 'POST' ? 202 : method === 'GET' ? 204 : method === 'PATCH' ? 416 : 404, {
          location: '/v2/x/blobs/uploads/1',
          range: '0-99999999999',
        })
        .end(),
    /more of a layer than there is/,
  ],
  [
    'an upload that never moves',
    (it, method) =>
      it
        .writeHead(method === 'POST' ? 202 : method === 'GET' ? 204 : method === 'PATCH' ? 416 : 404, {
          location: '/v2/x/blobs/uploads/1',
          range: '0-0',
        })
        .end(),
    /forgets what it was sent.*Tried 5 times/,
  ],
  [
    'too large a piece',
    (it, method) => it.writeHead(method === 'HEAD' ? 404 : 413).end(),
    /its limit has to be raised/,
  ],
  [
    'words for a terminal',
    (it, method) =>
      it
        .writeHead(method === 'HEAD' ? 404 : 418)
        .end(JSON.stringify({ errors: [{ code: 'X', message: '\u001b[31mred\u0007' }] })),
    /answered 418\. It says: \[31mred\.$/,
  ],
]
test.each(hostile)('[K8S-2.push-hostile] %s ends in words', async (_, answer, words) => {
  registry.fault = (request, response) => {
    request.resume()
    answer(response, request.method)
    return true
  }
  await expect(push()).rejects.toThrow(words)
  expect(readdirSync(join(folder, 'stage'))).toEqual([])
})

test('a memory that was damaged is made anew', async () => {
  await push()
  const [place = ''] = readdirSync(join(folder, 'pushed'))
  const [file = ''] = readdirSync(join(folder, 'pushed', place))
  await appendFile(join(folder, 'pushed', place, file), 'x')
  expect((await push()).blobs).toEqual({ sent: 0, there: 3, lent: 0 })
})
