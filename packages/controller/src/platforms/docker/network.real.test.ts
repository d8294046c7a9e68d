/** Networks of instances on the real engine: nobody reaches another, there is room for many, and nothing is left behind. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { instanceSpec } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { must, run, start } from '@kalnet/io/spawn'
import Docker from 'dockerode'
import { v7 as newId } from 'uuid'
import { afterAll, describe, expect, test } from 'vitest'
import { openJournal } from '../../journal.ts'
import { createReconciler } from '../../reconcile.ts'
import type { Handle } from '../platform.ts'
import { isDemanded, missing, recipeChainOf, testImages } from '../testing.ts'
import { createDockerPlatform } from './docker.ts'
import { createEngine } from './engine.ts'
import { bridgePrefix } from './filter.ts'
import { createDockerLayout } from './layout.ts'
import { createInstanceNetworks } from './network.ts'
import { purgeDocker } from './purge.ts'

const client = new Docker({ socketPath: '/var/run/docker.sock', timeout: 60_000 })
const answers = await client.ping().then(
  () => true,
  () => false,
)
const tool = await missing(['iptables', 'ip', 'mmdebstrap', 'flock'])
const lacks =
  process.getuid?.() !== 0
    ? 'the right to set a filter (root)'
    : answers
      ? tool
      : 'a Docker engine that answers'

const never = new AbortController().signal
const log = createLog('docker', 'silent')
const chain = recipeChainOf('terminal')
const organisationId = newId()
const closing: (() => Promise<void>)[] = []

/** An installation of its own on the one engine. */
function install(networkRange?: string) {
  const home = mkdtempSync(join(tmpdir(), 'kalnet-net-'))
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  const { installation } = createDockerLayout(folders)
  closing.push(async () => {
    await purgeDocker({ folders, keepImages: true })
    rmSync(home, { recursive: true, force: true })
  })
  return {
    folders,
    installation,
    platform: createDockerPlatform({ folders, images: testImages(), log, networkRange }),
    networks: createInstanceNetworks(createEngine(), installation, networkRange),
  }
}
type Installation = ReturnType<typeof install>

const asRequest = (command: string[], network: 'internet' | 'none') => ({
  instanceId: newId(),
  generation: 1,
  organisationId,
  spec: instanceSpec.parse({
    image: { recipe: chain },
    command,
    network,
    ports: [{ name: 'web', kind: 'tcp', at: { tcp: 8080 } }],
  }),
})
const ensure = (it: Installation, command: string[], network: 'internet' | 'none' = 'internet') =>
  it.platform.ensure(asRequest(command, network), never, () => undefined)

/** All that this machine has for an installation: bridges and rules. */
async function onMachine({ installation }: Installation) {
  const links = await run('ip', ['-o', 'link'])
  const rules = await run('iptables', ['-w', '10', '-S'])
  return {
    bridges: links.stdout.split('\n').filter((it) => it.includes(`: ${bridgePrefix(installation)}`)).length,
    rules: rules.stdout
      .split('\n')
      .filter((it) => it.includes(installation.toUpperCase()) || it.includes(bridgePrefix(installation)))
      // How many networks the machine is in may change meanwhile: those that are blocked are not counted.
      .filter((it) => /KALNET/.test(it) && !/ -d /.test(it)).length,
  }
}
const NOTHING = { bridges: 0, rules: 0 }

async function addressOf(container: string | number | undefined) {
  const { NetworkSettings } = await client.getContainer(String(container)).inspect()
  const [only] = Object.values(NetworkSettings.Networks)
  return { address: only?.IPAddress ?? '', gateway: only?.Gateway ?? '' }
}

async function said(it: Installation, handle: Handle): Promise<string> {
  const stream = await it.platform.dial(handle, 'web', AbortSignal.timeout(30_000))
  const [data] = (await once(stream, 'data')) as [Buffer]
  stream.destroy()
  return data.toString()
}

if (lacks && !isDemanded) test.skip(`networks of containers: ${lacks} is missing`)
else
  describe('networks of containers', () => {
    afterAll(async () => {
      for (const close of closing) await close()
    })

    test('[CTL-6.docker-apart] each has a network of its own; two sessions never reach each other, nor those of another installation', async () => {
      const [one, other] = [install(), install()]
      const script =
        'use IO::Socket; $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "0.0.0.0:8080", ReuseAddr => 1) or die; while ($c = $s->accept) { print $c "reached\\n"; close $c }'
      const listening = await Promise.all([
        ensure(one, ['perl', '-e', script]),
        ensure(other, ['perl', '-e', script]),
      ])
      const places = await Promise.all(listening.map((it) => addressOf(it.data.container)))
      // They really listen, on every address they have.
      for (const [index, handle] of listening.entries())
        await expect
          .poll(() => said([one, other][index]!, handle).catch(() => ''), { timeout: 15_000 })
          .toBe('reached\n')
      expect(new Set(places.map((it) => it.gateway)).size).toBe(2)
      const targets = places.flatMap((it) => [it.address, it.gateway])
      const attempts = targets.map(
        (at) =>
          `timeout 2 bash -c 'exec 3<>/dev/tcp/${at}/8080 && cat <&3' 2>/dev/null | grep -q . && echo ${at}`,
      )
      const visitor = await ensure(one, [
        'bash',
        '-c',
        `${attempts.join('\n')}\ncut -c1-4 /proc/net/if_inet6 | grep fe80\necho done`,
      ])
      await expect
        .poll(async () => (await one.platform.observe(visitor)).state, { timeout: 30_000 })
        .toBe('ended')
      expect(await one.platform.logs(visitor, 20)).toEqual(['done'])
      for (const it of [...listening.slice(0, 1), visitor]) await one.platform.remove(it)
      await other.platform.remove(listening[1]!)
      expect(await onMachine(one)).toEqual(NOTHING)
      expect(await onMachine(other)).toEqual(NOTHING)
    })

    test('[CTL-6.docker-none] who asks for no network gets none made', async () => {
      const it = install()
      const handle = await ensure(it, ['sleep', '1000'], 'none')
      expect(await it.networks.list()).toEqual([])
      expect(await onMachine(it)).toEqual(NOTHING)
      await it.platform.remove(handle)
    })

    test('[CTL-6.docker-many] forty at once beside foreign networks: more than the engine has pools, and not a rule more than for one', async () => {
      const range = '10.215.96.0/23'
      const it = install(range)
      const foreign = ['10.215.96.0/25', '10.215.97.128/27'].map((Subnet, index) => ({
        Name: `foreign-${it.installation}-${index}`,
        Driver: 'bridge',
        IPAM: { Driver: 'default', Config: [{ Subnet }] },
      }))
      const theirs = await Promise.all(foreign.map((one) => client.createNetwork(one)))
      try {
        const make = (instanceId: string) => it.networks.make({ instanceId, generation: 1, organisationId })
        const first = newId()
        await make(first)
        const forOne = (await onMachine(it)).rules
        expect(forOne).toBeGreaterThan(5)
        const ids = [first, ...Array.from({ length: 39 }, () => newId())]
        // Each twice at the same moment, from two controllers that know nothing of each other.
        const twin = createInstanceNetworks(createEngine(), it.installation, range)
        await Promise.all(ids.map(make))
        await Promise.all(ids.map((instanceId) => twin.make({ instanceId, generation: 1, organisationId })))
        const made = await it.networks.list()
        expect(made).toHaveLength(40)
        const subnets = made.map((one) => one.IPAM?.Config?.[0]?.Subnet ?? '')
        expect(new Set(subnets).size).toBe(40)
        expect(subnets.every((subnet) => /^10\.215\.9[67]\.\d+\/29$/.test(subnet))).toBe(true)
        expect(await onMachine(it)).toEqual({ bridges: 40, rules: forOne })
        for (const id of ids) await it.networks.remove(id, 1)
        expect(await it.networks.list()).toEqual([])
        expect(await onMachine(it)).toEqual(NOTHING)
      } finally {
        for (const network of theirs) await network.remove()
      }
    })

    test('[CTL-6.docker-range] two that want the last pieces at the same moment get one each; a full range is said', async () => {
      const range = '10.215.98.0/28'
      const [it, neighbour] = [install(range), install(range)]
      const make = (of: Installation) =>
        of.networks.make({ instanceId: newId(), generation: 1, organisationId })
      // Two pieces, two that ask at the same moment: the engine decides who has which.
      await Promise.all([make(it), make(neighbour)])
      expect(await it.networks.list()).toHaveLength(1)
      expect(await neighbour.networks.list()).toHaveLength(1)
      await expect(make(it)).rejects.toThrow(/10\.215\.98\.0\/28 is taken/)
    })

    test('[CTL-4.docker-leftover] a network whose container never came is listed, adopted by the next try, or reaped', async () => {
      const it = install()
      const { spec, ...wanted } = asRequest(['sleep', '1000'], 'internet')
      await it.networks.make(wanted)
      const [left] = await it.platform.list()
      expect(left).toMatchObject({ instanceId: wanted.instanceId, generation: 1 })
      expect(await it.platform.observe(left!)).toEqual({ state: 'gone' })
      const adopted = await it.platform.ensure({ ...wanted, spec }, never, () => undefined)
      expect(await it.networks.list()).toHaveLength(1)
      await it.platform.remove(adopted)
      expect(await it.platform.list()).toEqual([])

      const orphan = { instanceId: newId(), generation: 4, organisationId }
      await it.networks.make(orphan)
      const stop = new AbortController()
      const journal = openJournal(join(it.folders.data, 'journal.sqlite'))
      const reconciler = createReconciler({
        platforms: [it.platform],
        journal,
        clock: systemClock,
        log,
        report: () => undefined,
        signal: stop.signal,
      })
      reconciler.desiredAll([])
      await expect.poll(() => it.networks.list(), { timeout: 20_000 }).toEqual([])
      await expect.poll(() => onMachine(it), { timeout: 20_000 }).toEqual(NOTHING)
      await reconciler.idle()
      stop.abort()
      journal.close()
    })

    test('[CTL-6.docker-filter-kept] after a restart of ours or the engine the filter stands again, and a network lives on', async () => {
      const it = install()
      const handle = await ensure(it, ['sleep', '1000'])
      const before = await onMachine(it)
      // What a restarted firewall does.
      const jump = ['-i', `${bridgePrefix(it.installation)}+`, '-j']
      const chain = `KALNET-DOCKER-${it.installation.toUpperCase()}`
      await must('iptables', ['-w', '10', '-D', 'DOCKER-USER', ...jump, chain])
      await must('iptables', ['-w', '10', '-F', chain])
      expect((await onMachine(it)).rules).toBeLessThan(before.rules)
      const again = createDockerPlatform({ folders: it.folders, images: testImages(), log })
      const stop = new AbortController()
      const noticed: string[] = []
      const listening = (async () => {
        for await (const { instanceId } of again.changes(stop.signal)) noticed.push(instanceId)
      })()
      await expect.poll(() => noticed, { timeout: 15_000 }).toContain(handle.instanceId)
      expect(await onMachine(it)).toEqual(before)
      expect(await again.list()).toEqual([handle])
      stop.abort()
      await listening
      await again.remove(handle)
      expect(await onMachine(it)).toEqual(NOTHING)
    })

    test('[CTL-6.docker-filter-mended] a firewall loaded anew while nothing restarts: the filter is set again, each part of it', async () => {
      const it = install()
      const handle = await ensure(it, ['sleep', '1000'])
      const before = await onMachine(it)
      const watched = createDockerPlatform({
        folders: it.folders,
        images: testImages(),
        log,
        filterEveryMs: 300,
      })
      const stop = new AbortController()
      const listening = (async () => {
        for await (const _ of watched.changes(stop.signal));
      })()
      // As it begins, it sets the filter by itself: that must not be what is seen below.
      await expect.poll(() => onMachine(it), { timeout: 15_000 }).toEqual(before)
      await sleep(1_500)
      const jump = ['-i', `${bridgePrefix(it.installation)}+`, '-j']
      const chain = `KALNET-DOCKER-${it.installation.toUpperCase()}`
      const inward = `KALNET-DOCKER-IN-${it.installation.toUpperCase()}`
      const losses: string[][][] = [
        [['-D', 'DOCKER-USER', ...jump, chain]],
        [['-D', 'INPUT', ...jump, inward]],
        [['-F', chain]],
        [['-F', inward]],
        // All of it, as when every rule of the machine is thrown away.
        [
          ['-D', 'DOCKER-USER', ...jump, chain],
          ['-D', 'INPUT', ...jump, inward],
          ['-F', chain],
          ['-F', inward],
          ['-X', chain],
          ['-X', inward],
        ],
      ]
      for (const steps of losses) {
        // On a slow machine a rule may stand again before the next one is taken away.
        for (const step of steps) await run('iptables', ['-w', '10', ...step])
        await expect.poll(() => onMachine(it), { timeout: 15_000, interval: 200 }).toEqual(before)
      }
      stop.abort()
      await listening
      await watched.remove(handle)
      expect(await onMachine(it)).toEqual(NOTHING)
    })

    test('[CTL-6.docker-failed-start] a start that fails leaves neither network nor rule', async () => {
      const it = install()
      await expect(ensure(it, ['/there/is/no/such/program'])).rejects.toThrow(/no such file/)
      expect(await it.platform.list()).toEqual([])
      expect(await onMachine(it)).toEqual(NOTHING)
    })

    test('[CTL-1.purge-engine] purging takes containers, networks, rules and images of one installation, and of no other', async () => {
      const [it, neighbour] = [install(), install()]
      await ensure(it, ['sleep', '1000'])
      await it.networks.make({ instanceId: newId(), generation: 1, organisationId })
      const stays = await ensure(neighbour, ['sleep', '1000'])
      const image = await tinyImage(`kalnet/tiny:${it.installation}`)
      await image.tag({ repo: `kalnet-${it.installation}/tiny`, tag: '1' })
      await image.tag({ repo: `kalnet-${neighbour.installation}/tiny`, tag: '1' })
      expect(await purgeDocker({ folders: it.folders })).toMatchObject({
        containers: 1,
        networks: 2,
        images: 2,
      })
      expect(await it.platform.list()).toEqual([])
      expect(await onMachine(it)).toEqual(NOTHING)
      expect(await purgeDocker({ folders: it.folders })).toEqual({ containers: 0, networks: 0, images: 0 })
      // The neighbour has lost nothing: its session runs, and the image that both had is there.
      expect(await neighbour.platform.observe(stays)).toMatchObject({ state: 'running' })
      expect((await onMachine(neighbour)).bridges).toBe(1)
      await image.inspect()
      await neighbour.platform.remove(stays)
      // The terminal's image stays for the tests that follow.
      await client.getImage(`kalnet-${neighbour.installation}/terminal:${await terminalTag()}`).remove()
      expect(await purgeDocker({ folders: neighbour.folders })).toMatchObject({ images: 1 })
      await expect(image.inspect()).rejects.toThrow(/no such image/i)
    })

    test('[CTL-1.purge-engine] an engine that does not answer is said, not waited for', async () => {
      const { folders } = install()
      expect(await purgeDocker({ folders, socketPath: join(folders.data, 'none.sock') })).toBeNull()
    })
  })

async function terminalTag(): Promise<string> {
  const { referenceOf } = await import('../../images/described.ts')
  return referenceOf(chain).split(':')[1] ?? ''
}

/** An image with our label and nothing in it. */
async function tinyImage(name: string): Promise<Docker.Image> {
  const [repo, tag] = name.split(':')
  const pack = start('tar', ['--create', '--file=-', '--files-from=/dev/null'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const answer = await client.importImage(pack.stdout!, { repo, tag, changes: 'LABEL io.kalnet.image=tiny' })
  await new Promise((resolve) => answer.resume().once('end', resolve))
  return client.getImage(name)
}
