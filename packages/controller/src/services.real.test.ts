/** Health, links and certificates with real sandboxes and containers: a small web program in each, and another controller beside. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LinkTarget } from '@kalnet/contracts/controller'
import {
  type DesiredInstance,
  type InstanceSpecInput,
  instanceSpec,
  type ObservedInstance,
} from '@kalnet/contracts/instance'
import { createLog } from '@kalnet/io/log'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import { until } from '@kalnet/wire/testing'
import Docker from 'dockerode'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runController } from './controller.ts'
import { createDockerPlatform } from './platforms/docker/docker.ts'
import { purgeDocker } from './platforms/docker/purge.ts'
import type { Platform } from './platforms/platform.ts'
import { createProcessPlatform } from './platforms/process/process.ts'
import { isDemanded, missing, recipeChainOf, testImages } from './platforms/testing.ts'
import { CONTROLLER, type ControlPlane, createControlPlane } from './testing-plane.ts'

const isRoot = process.getuid?.() === 0
const tools = isRoot
  ? await missing(['bwrap', 'mmdebstrap', 'setpriv', 'ip', 'iptables'])
  : 'root (this is an ordinary user)'
const engine = await new Docker({ timeout: 5_000 }).ping().then(
  () => null,
  () => 'a Docker engine that answers',
)
const log = createLog('test', 'silent')
const LIMIT = 20_000
const wait = { timeout: LIMIT, interval: 20 }
const never = new AbortController().signal
const quick = {
  intervalMs: 500,
  failingIntervalMs: 500,
  failuresToUnhealthy: 2,
  timeoutMs: 2_000,
  startPeriodMs: 0,
}

/** One request after the other: 503 while there is a file called `broken`, else the words, and what it was asked for. */
const PROGRAM = `
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 16, ReuseAddr => 1) or die;
while (my $it = $server->accept) {
  my $first = <$it>; while (my $line = <$it>) { last if $line =~ /^\\r?\\n$/ }
  select(undef, undef, undef, 0.2) if $first =~ /slow/;
  my $status = -e '/home/user/broken' ? '503 Broken' : '200 OK';
  print $it "HTTP/1.1 $status\\r\\nconnection: close\\r\\n\\r\\n$ARGV[0] was asked: $first"; close $it;
}`
/** Shuts its side before the answer comes: that must not end the other side. */
const CALL = `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("web:8080") or die; print $s "GET /slow HTTP/1.1\\r\\n\\r\\n"; $s->shutdown(1); print <$s>' | tail -n 1`

interface Machine {
  plane: ControlPlane
  platform: Platform
  web: string
  app: string
  start(): void
  stop(): Promise<void>
  inside(id: string, script: string): Promise<string>
  seen(id: string): ObservedInstance | undefined
}

const foldersIn = (home: string) => ({
  data: join(home, 'data'),
  runtime: join(home, 'run'),
  config: join(home, 'config'),
})

async function openMachine(
  name: 'process' | 'docker',
  home: string,
  words: string,
  which: ('web' | 'app')[] = ['web', 'app'],
): Promise<Machine> {
  const folders = foldersIn(home)
  const images = testImages()
  const platform =
    name === 'process'
      ? createProcessPlatform({ folders, images, log })
      : createDockerPlatform({ folders, images, log })
  const plane = await createControlPlane()
  const [web, app] = [newId(), newId()] as [string, string]
  let stopper = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const handleOf = async (id: string) => (await platform.list()).find((it) => it.instanceId === id)!
  const machine: Machine = {
    ...{ plane, platform, web, app },
    start() {
      stopper = new AbortController()
      running = runController({
        folders,
        url: plane.url(),
        token: 'right',
        log,
        signal: stopper.signal,
        drive: [platform],
      })
    },
    async stop() {
      stopper.abort(new Error('enough'))
      await running
    },
    async inside(id, script) {
      const executed = await platform.exec!(await handleOf(id), ['bash', '-c', script], never, 10_000)
      return executed?.lastLine ?? ''
    },
    seen: (id) => plane.told('observed').findLast((it) => it.instance.id === id)?.instance,
  }
  machine.start()
  await until(() => plane.told('inventory').length === 1, 'it is connected', LIMIT)
  const desired = (id: string, spec: Omit<InstanceSpecInput, 'image'>): DesiredInstance => ({
    ...{ id, generation: 1, organisationId: CONTROLLER, platform: name, state: 'running' },
    spec: instanceSpec.parse({ image: { recipe: recipeChainOf('base') }, network: 'local', ...spec }),
  })
  const specs: Record<'web' | 'app', DesiredInstance> = {
    web: desired(web, {
      command: ['perl', '-e', PROGRAM, words],
      ports: [{ name: 'http', kind: 'http', at: { tcp: 8080 } }],
      probe: { kind: 'http', port: 'http', ...quick },
    }),
    app: desired(app, {
      command: ['bash', '-c', 'cat /run/kalnet/identity/cert.pem; exec sleep 3600'],
      links: [{ name: 'web', port: 8080 }],
      probe: { kind: 'command', command: ['test', '!', '-e', '/home/user/broken'], ...quick },
      identity: true,
    }),
  }
  plane.send({ type: 'desired.all', instances: which.map((it) => specs[it]) })
  give(machine, 'first')
  return machine
}
const give = ({ plane, app }: Machine, word: string) =>
  plane.send({
    type: 'identity.given',
    instanceId: app,
    certificate: `${word} certificate\n`,
    key: `${word} key\n`,
    authority: `${word} authority\n`,
  })
const lead = ({ plane, app }: Machine, ...targets: LinkTarget[]) =>
  plane.send({ type: 'links', instanceId: app, links: [{ name: 'web', targets }] })
const to = (instanceId: string, controllerId = CONTROLLER): LinkTarget => ({
  ...{ instanceId, controllerId, port: 'http', address: null },
})

describe.each([
  ['process', tools],
  ['docker', tools ?? engine],
] as const)('%s', (name, lacks) => {
  describe.skipIf(lacks !== null && !isDemanded)(`(needs ${lacks ?? 'nothing more'})`, () => {
    let home: string
    let it: Machine
    const becomes = (id: string, state: string) =>
      expect.poll(() => it.seen(id)?.health?.state, wait).toBe(state)

    beforeAll(async () => {
      await testImages().ensureRoot(recipeChainOf('base'), never, () => undefined)
      home = mkdtempSync(join(tmpdir(), 'kalnet-services-'))
      it = await openMachine(name, home, 'the web program')
      const isHealthy = (id: string) => it.seen(id)?.health?.state === 'healthy'
      await until(() => isHealthy(it.web) && isHealthy(it.app), 'both are healthy', LIMIT)
    }, 300_000)
    afterAll(async () => {
      await it.stop()
      for (const handle of await it.platform.list()) await it.platform.remove(handle)
      if (name === 'docker') await purgeDocker({ folders: foldersIn(home) })
      await it.plane.close()
      rmSync(home, { recursive: true, force: true })
    })

    test('[OBS-2.real] by a page and by a program run inside: healthy, broken, healthy again', async () => {
      const both = [it.web, it.app]
      await Promise.all(both.map((id) => it.inside(id, 'touch /home/user/broken')))
      await becomes(it.web, 'unhealthy')
      await becomes(it.app, 'unhealthy')
      expect(both.map((id) => it.seen(id)?.health?.detail)).toEqual([
        'It answered with status 503',
        'The check ended with 1',
      ])
      await Promise.all(both.map((id) => it.inside(id, 'rm /home/user/broken')))
      await becomes(it.web, 'healthy')
      await becomes(it.app, 'healthy')
    })

    test('[NET-5.links-real] one instance reaches another by its link, and nothing when it leads nowhere', async () => {
      lead(it, to(it.web))
      await expect
        .poll(() => it.inside(it.app, CALL), wait)
        .toBe('the web program was asked: GET /slow HTTP/1.1')
      lead(it)
      expect(await it.inside(it.app, CALL)).not.toContain('was asked')
      await expect
        .poll(() => it.plane.told('links.called').flatMap((told) => told.calls), wait)
        .toEqual(
          expect.arrayContaining([expect.objectContaining({ link: 'web', targetId: it.web, failures: 0 })]),
        )
    })

    test('[NET-5.identity-real] its certificate was there when it started, is renewed, and its own alone', async () => {
      const handle = (await it.platform.list()).find(({ instanceId }) => instanceId === it.app)!
      expect(await it.platform.logs(handle, 5)).toEqual(['first certificate'])
      give(it, 'second')
      await expect.poll(() => it.inside(it.app, 'cat /run/kalnet/identity/key.pem'), wait).toBe('second key')
      expect(await it.inside(it.app, 'stat -L -c "%a %U" /run/kalnet/identity/key.pem')).toBe('400 user')
    })

    test('[NET-5.links-real] after a restart of the controller its health is known and links lead where they led', async () => {
      lead(it, to(it.web))
      await it.stop()
      it.start()
      await expect.poll(() => it.plane.told('inventory').length, wait).toBe(2)
      const known = it.plane.told('inventory')[1]?.instances.map(({ health }) => health?.state)
      expect(known).toEqual(['healthy', 'healthy'])
      await expect.poll(() => it.inside(it.app, CALL), wait).toMatch(/^the web program/)
    })
  })
})

describe.skipIf(tools !== null && !isDemanded)(`two controllers (needs ${tools ?? 'nothing more'})`, () => {
  test('[NET-5.links-real] a link leads to an instance of another controller through the control plane', async () => {
    const homes = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'kalnet-services-')))
    const near = await openMachine('process', homes[0]!, 'near', ['app'])
    const far = await openMachine('process', homes[1]!, 'far', ['web'])
    try {
      await expect.poll(() => far.seen(far.web)?.health?.state, wait).toBe('healthy')
      await expect.poll(() => near.seen(near.app)?.state, wait).toBe('running')
      lead(near, to(far.web, newId()))
      // Its end of the link may come a moment after the word for it: until then a call says nothing.
      const again = `for i in $(seq 50); do said=$(${CALL}); [ -n "$said" ] && break; sleep 0.2; done; echo "$said"`
      const called = near.inside(near.app, again)
      await expect.poll(() => near.plane.told('link.dial').length, wait).toBeGreaterThan(0)
      const { requestId, ...asked } = near.plane.told('link.dial')[0]!
      expect(asked).toMatchObject({ instanceId: near.app, link: 'web', targetId: far.web })
      // What the control plane does: both ends, one by one, joined.
      const token = 'a-token-of-at-least-twenty-letters'
      far.plane.send({ type: 'stream.open', streamId: newId(), instanceId: far.web, port: 'http', token })
      await expect.poll(() => far.plane.dialled.length, wait).toBe(1)
      near.plane.send({ type: 'link.dialled', requestId, token, problem: null })
      await expect.poll(() => near.plane.dialled.length, wait).toBe(1)
      const [one, other] = [near.plane.dialled[0]!.stream, far.plane.dialled[0]!.stream]
      void joinStreams(one, other, never, LONG_HALF_MS)
      expect(await called).toBe('far was asked: GET /slow HTTP/1.1')
    } finally {
      for (const [index, { stop, platform, plane }] of [near, far].entries()) {
        await stop()
        for (const handle of await platform.list()) await platform.remove(handle)
        await plane.close()
        rmSync(homes[index]!, { recursive: true, force: true })
      }
    }
  })
})
