/**
 * Kalnet on a real cluster as docs/kubernetes-install.md says it, by helm: installed, claimed, used, upgraded, rolled back, its pods killed, its
 * machine drained, taken away and installed again over what was kept. Takes minutes: with KALNET_CLUSTER=all. What others publish (PostgreSQL,
 * NATS) are images made here of the same programs; network policies are kept by a stand-in; the balancer's address is the machine's.
 */

import { join } from 'node:path'
import { ROOT } from '@kalnet/cli/tree'
import type { Service } from '@kalnet/contracts/service'
import type { Session } from '@kalnet/contracts/session'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DIAL } from '../compose/inside.ts'
import { createClient } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { clusterIsNotAsked } from '../support/parts.ts'
import {
  BASE,
  claimHouse,
  HOST,
  type House,
  installSite,
  launchDesktop,
  opensSite,
  seeScreen,
  stillRuns,
  untilAnswers,
} from './household.ts'
import {
  ensureImages,
  type Installation,
  NAMESPACE,
  openInstallation,
  prepareNamespace,
} from './installation.ts'
import { type LentRegistry, lendRegistry } from './lent.ts'
import { isReady, podsOf, untilReady } from './pods.ts'
import { note } from './results.ts'

const skip = await clusterIsNotAsked('Kalnet installed on a cluster by helm', [
  'docker',
  'helm',
  'kubectl',
  'imageRegistry',
  'clusterNetwork',
])
const CHART = join(ROOT, 'deploy/chart/kalnet')
const LONG = 15 * 60_000
const ALL = { 'control-plane': 1, postgres: 1, controller: 1, gateway: 2, nats: 1 }
const since = (began: number) => Math.round(performance.now() - began)

describe.skipIf(skip)('Kalnet on a cluster by helm', { timeout: LONG }, () => {
  let installed: Installation
  let registry: LentRegistry
  let house: House
  let session: Session
  let service: Service
  const at = ['-n', NAMESPACE]
  const upgrade = (...words: string[]) =>
    installed.helm('upgrade', 'kalnet', CHART, ...at, '--reuse-values', ...words)
  /** All that was there is there, and works. */
  async function nothingIsLost() {
    await stillRuns(house, session)
    await seeScreen(house, session.id)
    await opensSite(house, service)
  }

  beforeAll(async () => {
    const { bytes } = await ensureImages()
    await note('image', { bytes })
    installed = await openInstallation()
    registry = await lendRegistry(installed)
    await registry.push('terminal', 'site')
  }, LONG)
  afterAll(async () => {
    await registry?.close()
    await installed?.close()
  }, LONG)

  it('[K8S-2.started] every pod becomes ready where the restricted profile is enforced, and none starts twice', async () => {
    await prepareNamespace(installed, { 'database-password': 'of-the-database-41' })
    const began = performance.now()
    const words = ['--set', 'image=kalnet:local', '--set', `domain=${HOST}`]
    await installed.helm('install', 'kalnet', CHART, ...at, ...words)
    await untilReady(installed, { 'control-plane': 1, postgres: 1 })
    await note('install', { readyMs: since(began) })
    for (const pod of await podsOf(installed))
      expect(
        pod.status.containerStatuses?.map((one) => one.restartCount),
        pod.metadata.name,
      ).toEqual([0])
  })

  it('[K8S-2.claimed] the link from the pod makes the owner, who signs in through the address of the gateway', async () => {
    house = await claimHouse(installed)
    expect((await house.client.signIn()).role).toBe('owner')
    expect(await installed.kalnet('claim')).toEqual({ claim: null })
    const plain = await house.visitor.visit(`${BASE}/`)
    expect(plain.status).toBe(200)
  })

  it('[K8S-2.enrolled] the controller enrols by its word and drives the cluster as the account of its pod; a desktop shows its first picture', async () => {
    const { token, command } = await installed.kalnet<{ token: string; command: string }>(
      'controllers',
      'enrol',
      'cluster',
    )
    const fingerprint = /--ca-fingerprint (\S+)/.exec(command)?.[1] ?? ''
    await installed.kubectl(
      ...at,
      'patch',
      'secret',
      'kalnet',
      '-p',
      JSON.stringify({ stringData: { 'controller-token': token } }),
    )
    await installed.kubectl(
      ...at,
      'create',
      'configmap',
      'authorities',
      `--from-literal=authorities.crt=${registry.authority}`,
    )
    const began = performance.now()
    await upgrade(
      ...['--set', 'controller.enabled=true', '--set', `authorityFingerprint=${fingerprint}`],
      ...['--set', `controller.registry=${registry.url}/kalnet`, '--set', 'authorities=authorities'],
    )
    await untilReady(installed, { 'control-plane': 1, postgres: 1, controller: 1 })
    await note('controller', { readyMs: since(began) })
    const { items } = await installed.kalnet<{
      items: { name: string; state: string; fingerprints: { platform: string; usable: boolean }[] }[]
    }>('controllers', 'list')
    expect(items).toMatchObject([
      { name: 'cluster', state: 'online', fingerprints: [{ platform: 'kubernetes', usable: true }] },
    ])
    const seen = await launchDesktop(house)
    session = seen.session
    const again = await launchDesktop(house)
    await note('desktop', {
      first: { runningMs: seen.runningMs, frameMs: seen.frameMs },
      imageThere: { runningMs: again.runningMs, frameMs: again.frameMs },
    })
  })

  it('[K8S-2.gateways] a service opens by its name through the control plane, then through gateways of their own that ask it for nothing but their work', async () => {
    service = await installSite(house)
    await opensSite(house, service)
    const { token } = await installed.kalnet<{ token: string }>(
      'key',
      'add',
      'gateways',
      '--scope',
      'gateway.serve',
      '--days',
      '365',
    )
    await installed.kubectl(
      ...at,
      'patch',
      'secret',
      'kalnet',
      '-p',
      JSON.stringify({ stringData: { 'gateway-key': token } }),
    )
    const began = performance.now()
    await upgrade('--set', 'gateway.enabled=true', '--set', 'nats.own=true')
    await untilReady(installed, ALL)
    await note('gateways', { readyMs: since(began) })
    await nothingIsLost()
  })

  it('[K8S-2.walled] every part reaches whom it must, and nobody else', async () => {
    const addressOf = async (part: string) => (await podsOf(installed, part))[0]?.status.podIP ?? ''
    const addresses = Object.fromEntries(
      await Promise.all(Object.keys(ALL).map(async (part) => [part, await addressOf(part)] as const)),
    )
    const reaches = async (from: string, to: string, port: number) =>
      (
        await installed.kubectl(
          ...at,
          'exec',
          `deploy/kalnet-${from}`,
          '--',
          'node',
          '-e',
          DIAL,
          to,
          String(port),
        )
      ).trim()
    const ask = async (from: string, part: string, port: number) => [
      from,
      part,
      port,
      await reaches(from, addresses[part] ?? '', port),
    ]
    const expected: [string, string, number, 'yes' | 'no'][] = [
      ['control-plane', 'postgres', 5432, 'yes'],
      ['control-plane', 'nats', 4222, 'yes'],
      ['controller', 'control-plane', 7400, 'yes'],
      ['gateway', 'control-plane', 7400, 'yes'],
      ['gateway', 'postgres', 5432, 'no'],
      ['gateway', 'nats', 4222, 'no'],
      ['gateway', 'control-plane', 8443, 'no'],
      ['controller', 'postgres', 5432, 'no'],
      ['controller', 'nats', 4222, 'no'],
      ['control-plane', 'nats', 8222, 'no'],
    ]
    const found: unknown[] = []
    for (const [from, part, port] of expected) found.push(await ask(from, part, port))
    expect(found).toEqual(expected)
    // Names are told everywhere, other hosts are not reached from a gateway.
    expect(await reaches('gateway', 'kalnet-control-plane.kalnet.svc', 7400)).toBe('yes')
    expect(
      await reaches(
        'gateway',
        registry.url.replace(/^https:\/\/|:\d+$/g, ''),
        Number(new URL(registry.url).port),
      ),
    ).toBe('no')
    const [pod] = await podsOf(installed, undefined, 'kalnet-instances')
    const inside = ['-n', 'kalnet-instances', 'exec', pod?.metadata.name ?? '', '--']
    for (const [part, port] of [
      ['control-plane', 7400],
      ['postgres', 5432],
      ['gateway', 8443],
    ] as const) {
      const { code } = await installed.attempt(
        ...inside,
        'perl',
        '-MIO::Socket::INET',
        '-e',
        'exit(IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) ? 0 : 7)',
        addresses[part] ?? '',
        String(port),
      )
      expect([part, code]).toEqual([part, 7])
    }
  })

  it('[K8S-2.upgraded] an upgrade with other values and the way back lose neither data nor sessions', async () => {
    const before = await podsOf(installed, 'control-plane')
    const began = performance.now()
    await upgrade(
      '--set',
      'environment.KALNET_LOG_LEVEL=debug',
      '--set',
      'controlPlane.resources.limits.memory=1200Mi',
    )
    await untilReplaced(before[0]?.metadata.uid)
    await untilReady(installed, ALL)
    await note('upgrade', { readyMs: since(began) })
    await nothingIsLost()
    const between = await podsOf(installed, 'control-plane')
    const back = performance.now()
    await installed.helm('rollback', 'kalnet', ...at)
    await untilReplaced(between[0]?.metadata.uid)
    await untilReady(installed, ALL)
    await note('rollback', { readyMs: since(back) })
    await nothingIsLost()
  })
  const untilReplaced = (uid: string | undefined) =>
    eventually(
      'another pod',
      async () =>
        (await podsOf(installed, 'control-plane')).some((pod) => pod.metadata.uid !== uid && isReady(pod)),
      LONG,
    )

  it('[K8S-2.drained] draining the machine leaves one gateway while the budget asks for it; afterwards all comes back', async () => {
    const drain = await installed.attempt(
      'drain',
      'machine-1',
      '--ignore-daemonsets',
      '--delete-emptydir-data',
      '--force',
      '--timeout=60s',
      `--pod-selector=app.kubernetes.io/component=gateway`,
    )
    expect(drain.code).not.toBe(0)
    expect(drain.stderr + drain.stdout).toMatch(/disruption budget/)
    const gateways = await podsOf(installed, 'gateway')
    expect(gateways.filter(isReady)).toHaveLength(1)
    await opensSite(house, service)
    await installed.kubectl('uncordon', 'machine-1')
    await untilReady(installed, ALL)
    await nothingIsLost()
  })

  it.each(Object.keys(ALL))(
    '[K8S-2.killed] %s: its program and then its pod killed, it comes back and nothing is lost',
    async (part) => {
      const began = performance.now()
      for (const pod of await podsOf(installed, part)) await killFirst(pod.metadata.uid)
      await eventually(
        'it was started anew',
        async () => {
          const pods = await podsOf(installed, part)
          return pods.every((pod) => (pod.status.containerStatuses?.[0]?.restartCount ?? 0) > 0)
        },
        LONG,
      )
      await untilReady(installed, ALL)
      const program = since(began)
      const then = performance.now()
      await installed.kubectl(
        ...at,
        'delete',
        'pod',
        '--wait=false',
        '--grace-period=0',
        '--force',
        '-l',
        `app.kubernetes.io/component=${part}`,
      )
      await eventually(
        'another pod',
        async () => {
          const pods = await podsOf(installed, part)
          return (
            pods.length === ALL[part as keyof typeof ALL] &&
            pods.every(
              (pod) =>
                !pod.metadata.deletionTimestamp &&
                (pod.status.containerStatuses?.[0]?.restartCount ?? 1) === 0,
            )
          )
        },
        LONG,
      )
      await untilReady(installed, ALL)
      await note(`killed ${part}`, { programMs: program, podMs: since(then) })
      await nothingIsLost()
    },
  )

  /** The first process of the pod's container, as a fault ends it. */
  async function killFirst(uid: string) {
    const { stdout } = await installed.cluster.inMachine('sh', [
      '-c',
      `grep -l ${uid} /proc/[0-9]*/cgroup | cut -d/ -f3`,
    ])
    for (const pid of stdout.split('\n').filter(Boolean)) {
      const { stdout: name } = await installed.cluster.inMachine('cat', [`/proc/${pid}/comm`])
      if (name.trim() !== 'pause') await installed.cluster.inMachine('kill', ['-KILL', pid])
    }
  }

  it('[K8S-2.taken-away] helm uninstall leaves every volume and what runs; installed again, the same house goes on', async () => {
    const values = await installed.helm('get', 'values', 'kalnet', ...at, '--output', 'json')
    await installed.helm('uninstall', 'kalnet', ...at, '--wait')
    await eventually('no pod of ours', async () => (await podsOf(installed)).length === 0, LONG)
    const left = JSON.parse(await installed.kubectl(...at, 'get', 'pvc', '-o', 'json')) as {
      items: { metadata: { name: string } }[]
    }
    expect(left.items.map((one) => one.metadata.name).toSorted()).toEqual([
      'database-kalnet-postgres-0',
      'kalnet-control-plane',
      'kalnet-controller',
    ])
    expect(await podsOf(installed, undefined, 'kalnet-instances')).not.toEqual([])
    const began = performance.now()
    await installed.helm(
      'install',
      'kalnet',
      CHART,
      ...at,
      '--values',
      await installed.values(JSON.parse(values)),
    )
    await untilReady(installed, ALL)
    await note('again', { readyMs: since(began) })
    // Another sign-in than the one that is kept: what that one opened stays open.
    const anew = createClient(BASE, house.ca, installed.cluster.there)
    await untilAnswers('the owner signs in', () => anew.signIn())
    await nothingIsLost()
  })
})
