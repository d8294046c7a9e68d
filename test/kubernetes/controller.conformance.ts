/** A controller that drives a cluster and nothing else, from its enrolment to the first bytes of a screen; its image goes through a registry. */
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DesiredInstance, instanceSpec } from '@kalnet/contracts/instance'
import { runController } from '@kalnet/controller/controller'
import { recipeChainOf, testCache } from '@kalnet/controller/platforms/testing'
import { CONTROLLER, createControlPlane } from '@kalnet/controller/testing-plane'
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { lendRegistry } from '../support/cluster/lend.ts'
import { startImageRegistry } from '../support/image-registry.ts'
import { log, NAMESPACE, type Shared } from './subject.ts'

const wait = { timeout: 120_000, interval: 50 }

export function describeController(shared: () => Shared): void {
  test('[K8S-1.controller] a controller with a cluster alone brings the image to the registry, starts a pod of it by its sum, and its screen answers', async () => {
    const home = mkdtempSync(join(tmpdir(), 'kn-cluster-controller-'))
    const registry = await startImageRegistry(join(home, 'registry'))
    const giveBack = await lendRegistry(shared().cluster, registry.port)
    const plane = await createControlPlane()
    const stop = new AbortController()
    const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
    await mkdir(folders.data)
    await symlink(join(testCache, 'images'), join(folders.data, 'images'))
    const running = runController({
      folders,
      url: plane.url(),
      token: 'right',
      platforms: ['kubernetes'],
      cluster: {
        enabled: true,
        kubeconfig: shared().kubeconfig,
        namespace: NAMESPACE,
        registry: `${registry.url}/team`,
      },
      log,
      signal: stop.signal,
    })
    try {
      await expect.poll(() => plane.told('inventory').length, wait).toBe(1)
      const [inventory] = plane.told('inventory')
      expect(inventory?.fingerprints).toMatchObject([
        { platform: 'kubernetes', usable: true, version: 'v1.34.4' },
      ])
      expect(inventory?.fingerprints[0]?.detail).toMatch(/^Ready: 1 machine/)
      const desired: DesiredInstance = {
        id: newId(),
        generation: 1,
        organisationId: CONTROLLER,
        platform: 'kubernetes',
        state: 'running',
        spec: instanceSpec.parse({
          image: { recipe: recipeChainOf('terminal') },
          command: ['/usr/lib/kalnet/session', 'xterm', '-name', 'XTerm'],
          ports: [{ name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } }],
          ready: { port: 'display' },
        }),
      }
      const observed = () => plane.told('observed').findLast((it) => it.instance.id === desired.id)?.instance
      plane.send({ type: 'desired.all', instances: [desired] })
      await expect.poll(() => observed()?.state, wait).toMatch(/running|failed/)
      expect(observed()).toMatchObject({ state: 'running', reason: null })
      const pods = await shared().cluster.call<{ items: { spec: { containers: { image: string }[] } }[] }>(
        'GET',
        `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=kalnet.io/instance=${desired.id}`,
      )
      expect(pods.items[0]?.spec.containers[0]?.image).toMatch(
        /^127\.0\.0\.1:\d+\/team\/terminal@sha256:[0-9a-f]{64}$/,
      )
      plane.send({
        type: 'screen.read',
        requestId: newId(),
        instanceId: desired.id,
        port: 'display',
        maxWidth: 200,
      })
      await expect.poll(() => plane.told('screen').length, wait).toBe(1)
      expect(
        Buffer.from(plane.told('screen')[0]?.png ?? '', 'base64')
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG')
      plane.send({ type: 'desired', instance: { ...desired, state: 'stopped' } })
      await expect.poll(() => observed()?.state, wait).toBe('stopped')
    } finally {
      stop.abort()
      await running
      await plane.close()
      await giveBack()
      await registry.kill()
      rmSync(home, { recursive: true, force: true })
    }
  }, 300_000)
}
