/** The kubernetes platform on a real cluster: the conformance suite, and what goes wrong in a cluster. The cluster leaves nothing behind. */
import { describePlatform } from '@kalnet/controller/platforms/conformance'
import {
  CLUSTER_RIGHTS,
  LATER,
  RIGHTS,
  type Right,
  USE_RIGHTS,
} from '@kalnet/controller/platforms/kubernetes/rights'
import { afterAll, expect, test } from 'vitest'
import { hasKubernetes } from '../peers/80-kubernetes.ts'
import { openOutsideOf } from '../support/cluster/outside.ts'
import { describeController } from './controller.conformance.ts'
import { describeDirect } from './direct.conformance.ts'
import { describeEnrolment } from './enrol.conformance.ts'
import { describeEnrolledSpaces } from './enrol-spaces.conformance.ts'
import { describeFaults } from './faults.conformance.ts'
import { describeNames } from './names.conformance.ts'
import { describeSpaces } from './spaces.conformance.ts'
import { chain, openShared } from './subject.ts'
import { tracesOf } from './traces.ts'
import { describeVolumeSizes } from './volumes.conformance.ts'

const isDemanded = process.env.KALNET_PEERS === 'all'
const isRoot = process.getuid?.() === 0
const has = isRoot && (await hasKubernetes())
const ours = new RegExp(`knc(luster-)?${process.pid}\\b|KN-PODS`)

if (!has && !isDemanded)
  test.skip('the kubernetes platform: a Kubernetes of the peers, and root to start its machine, are missing')
else {
  const before = await tracesOf(ours)
  const shared = await openShared()
  let isClosed = false
  const close = async () => {
    if (!isClosed) await shared.close()
    isClosed = true
  }
  afterAll(close)

  describePlatform('kubernetes', {
    isReal: true,
    concurrent: true,
    image: { recipe: chain },
    async open() {
      const outside = await openOutsideOf(shared.cluster)
      return {
        platform: shared.platform(),
        again: async () => shared.platform(),
        close: () => outside.close(),
        limits: true,
        noProcessLimit: true,
        unsureOfKill: 'It was killed (signal 9), from outside or because it ran out of memory',
        oneOutput: true,
        network: true,
        alwaysConnected: true,
        local: 'sockets',
        exec: true,
        outside,
      }
    },
  })

  describeFaults(() => shared)
  describeNames(() => shared)
  describeSpaces(() => shared)
  describeVolumeSizes(() => shared)
  describeController(() => shared)
  describeDirect(() => shared)
  describeEnrolment(() => shared)
  describeEnrolledSpaces(() => shared)

  test('[K8S-1.least] every right of the Role was used, and nothing else was asked', () => {
    const named = (rights: readonly Right[], group = '') =>
      rights.flatMap(({ resource, verbs }) => verbs.map((verb) => `${verb} ${resource}${group}`))
    const rights = [...named([...RIGHTS, ...CLUSTER_RIGHTS]), ...named(USE_RIGHTS, '.metrics.k8s.io')]
    const reviews = [...shared.asked].filter((it) => it.startsWith('create selfsubject'))
    const asked = [...shared.asked].filter((it) => !reviews.includes(it))
    expect(asked.filter((it) => !rights.includes(it))).toEqual([])
    expect(rights.filter((it) => !asked.includes(it) && !LATER.has(it))).toEqual([])
  })

  test('[K8S-1.no-traces] the cluster of the tests leaves the machine as it was', async () => {
    const during = await tracesOf(ours)
    expect(during.links.length).toBeGreaterThan(before.links.length)
    await close()
    expect(await tracesOf(ours)).toEqual(before)
  })
}
