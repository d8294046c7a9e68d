/** Images that are brought to machines ahead: on a real cluster with a real registry a start fetches nothing any more. What it took is kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '@kalnet/cli/testing'
import { instanceSpec } from '@kalnet/contracts/instance'
import { createRegistryImages } from '@kalnet/controller/images/oci/push'
import { poll } from '@kalnet/controller/platforms/conformance/fixture'
import { createKubernetesPlatform } from '@kalnet/controller/platforms/kubernetes/kubernetes'
import { kubernetesSettings } from '@kalnet/controller/platforms/kubernetes/settings'
import type { Handle, Platform } from '@kalnet/controller/platforms/platform'
import { recipeChainOf, testCache, testImages } from '@kalnet/controller/platforms/testing'
import { writeWhole } from '@kalnet/io/files'
import { folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import type { CoreV1Event, V1Node, V1Pod } from '@kubernetes/client-node'
import { v7 as newId } from 'uuid'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { lendRegistry } from '../support/cluster/lend.ts'
import { NAMESPACE, prepareCluster } from '../support/cluster/prepared.ts'
import { startImageRegistry } from '../support/image-registry.ts'
import { clusterIsNotAsked } from '../support/parts.ts'

const skipped = await clusterIsNotAsked(
  'that a start fetches no image that was brought ahead, and how long each takes',
  ['imageRegistry'],
)
const never = new AbortController().signal
const wait = { timeout: 300_000, interval: 200 }
const ROUNDS = 3
const chain = recipeChainOf('terminal')

describe.skipIf(skipped)('images ahead', () => {
  test('[CTL-5.warm-cluster] [CTL-5.warm-command] an image that is brought to machines ahead is not fetched when somebody starts it, and the scheduler sees where it is', async () => {
    const home = mkdtempSync(join(tmpdir(), 'kn-warm-'))
    const registry = await startImageRegistry(join(home, 'registry'))
    const { cluster, kubeconfig, close } = await prepareCluster()
    const giveBack = await lendRegistry(cluster, registry.port)
    const images = createRegistryImages({ images: testImages() })
    const platform = (warm: string[]): Platform => {
      const settings = kubernetesSettings.parse({
        kubeconfig,
        namespace: NAMESPACE,
        registry: { url: registry.url },
        warm,
      })
      const known = () => images.list(settings.registry)
      const log = createLog('warm', 'silent')
      return createKubernetesPlatform({
        settings,
        installation: 'warm',
        ensurePushed: images.ensurePushed,
        known,
        log,
      })
    }
    const inContainerd = (...words: string[]) =>
      cluster.inMachine('ctr', [
        '--address',
        `${cluster.folder}/containerd.sock`,
        '--namespace',
        'k8s.io',
        ...words,
      ])
    const eventsOf = async (pod: string) => {
      const fieldSelector = `involvedObject.name=${pod}`
      const { items } = await cluster.call<{ items: CoreV1Event[] }>(
        'GET',
        `/api/v1/namespaces/${NAMESPACE}/events?fieldSelector=${encodeURIComponent(fieldSelector)}`,
      )
      return items.map((it) => it.message ?? '')
    }
    /** From the wish to the first moment of its program. */
    async function start(of: Platform): Promise<{ ms: number; said: string; handle: Handle }> {
      const spec = instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', '1000'] })
      const request = { instanceId: newId(), generation: 1, organisationId: newId(), spec }
      const from = performance.now()
      const handle = await of.ensure(request, never, () => undefined)
      const ms = Math.round(performance.now() - from)
      let said = ''
      await poll(async () => {
        said =
          (await eventsOf(String(handle.data.pod))).find((it) => /pulled image|already present/.test(it)) ??
          ''
        return said
      }, wait).toMatch(/./)
      return { ms, said, handle }
    }
    const machines = async () => (await cluster.call<{ items: V1Node[] }>('GET', '/api/v1/nodes')).items
    const stop = new AbortController()
    try {
      const cold = platform([])
      const url = { url: registry.url }
      const { reference } = await images.ensurePushed({
        chain,
        registry: { ...url, repositoryPrefix: 'kalnet' },
        signal: never,
        say: () => undefined,
      })
      expect(reference).toMatch(/@sha256:[0-9a-f]{64}$/)
      const hasIt = async () =>
        (await machines()).every((it) => it.status?.images?.some((one) => one.names?.includes(reference)))
      /** As it was before anybody used it: a machine knows an image by several names. */
      async function forget() {
        const { stdout } = await inContainerd('images', 'ls', '--quiet')
        const names = stdout.split('\n').filter((it) => it && !it.includes('pause'))
        const ids = names.filter((it) => it.startsWith('sha256:'))
        for (const name of [...names.filter((it) => !ids.includes(it)), ...ids])
          await inContainerd('images', 'rm', '--sync', name)
      }
      const figures = { cold: [] as number[], warm: [] as number[], bringMs: 0 }
      for (let round = 0; round < ROUNDS; round += 1) {
        await forget()
        const { ms, said, handle } = await start(cold)
        expect(said).toMatch(/^Successfully pulled image/)
        figures.cold.push(ms)
        await cold.remove(handle)
      }
      await forget()
      // Its machine tells of it a moment later.
      await poll(hasIt, wait).toBe(false)
      const warm = platform(['used'])
      const from = performance.now()
      const listening = (async () => {
        for await (const _ of warm.changes(stop.signal));
      })()
      // The names by which the scheduler knows where an image is (ImageLocality). What hinders is said with it.
      const state = async () => ({ isThere: await hasIt(), images: warm.cluster?.()?.images })
      await poll(state, wait).toMatchObject({ isThere: true })
      figures.bringMs = Math.round(performance.now() - from)
      const pods = async () =>
        (await cluster.call<{ items: V1Pod[] }>('GET', `/api/v1/namespaces/${NAMESPACE}/pods`)).items
      await poll(async () => (await pods()).length, wait).toBe(0)
      for (let round = 0; round < ROUNDS; round += 1) {
        const { ms, said, handle } = await start(warm)
        expect(said).toMatch(/already present on machine/)
        const pod = (await pods()).find((it) => it.metadata?.name === handle.data.pod)
        expect(pod?.spec?.containers[0]?.image).toBe(reference)
        figures.warm.push(ms)
        await warm.remove(handle)
      }
      stop.abort()
      await listening
      // A person's word for it, as on the controller's machine.
      const where = folders({ KALNET_HOME: home })
      await mkdir(where.config, { recursive: true })
      await mkdir(where.data, { recursive: true })
      await symlink(join(testCache, 'images'), join(where.data, 'images'))
      const kubernetes = {
        enabled: true,
        kubeconfig,
        namespace: NAMESPACE,
        registry: `${registry.url}/kalnet`,
      }
      await writeFile(join(where.config, 'kalnet.yaml'), stringify({ kubernetes }))
      const said = async (...words: string[]) => {
        const { code, out, err } = await cli(home, 'images', 'warm', ...words, '--json')
        expect(code, err).toBe(0)
        return (JSON.parse(out) as { items: object[] }).items
      }
      const item = { image: 'terminal', reference, machine: 'machine-1' }
      expect(await said('--look')).toEqual([{ ...item, state: 'there', ms: null }])
      // One that no machine has; most of it lies in the registry already.
      const [brought] = await said('base')
      expect(brought).toMatchObject({
        image: 'base',
        machine: 'machine-1',
        state: 'brought',
        ms: expect.any(Number),
      })
      const middle = (all: number[]) => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)]
      const kept = {
        image: 'terminal',
        ...figures,
        coldMedianMs: middle(figures.cold),
        warmMedianMs: middle(figures.warm),
        at: new Date().toISOString(),
      }
      process.stderr.write(`images ahead: ${JSON.stringify(kept)}\n`)
      await writeWhole(
        new URL('../results/cluster-warm.json', import.meta.url).pathname,
        `${JSON.stringify(kept, null, 2)}\n`,
        0o644,
      )
    } finally {
      stop.abort()
      await giveBack()
      await close()
      await images.close()
      await registry.kill()
      rmSync(home, { recursive: true, force: true })
    }
  }, 900_000)
})
