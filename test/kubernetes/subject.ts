/** The cluster that the tests of one file share: started once, with a namespace, an account of the least rights, an image and folders for volumes. */
import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { peerCache } from '@kalnet/cli/suite/peers'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { referenceOf } from '@kalnet/controller/images/described'
import { exportImage } from '@kalnet/controller/images/layers'
import { type Api, createApi } from '@kalnet/controller/platforms/kubernetes/api'
import { createKubernetesPlatform } from '@kalnet/controller/platforms/kubernetes/kubernetes'
import { kubernetesSettings } from '@kalnet/controller/platforms/kubernetes/settings'
import { createSignIn } from '@kalnet/controller/platforms/kubernetes/sign-in'
import { connectedRanges } from '@kalnet/controller/platforms/process/blocked'
import { recipeChainOf, testImages } from '@kalnet/controller/platforms/testing'
import { createLog } from '@kalnet/io/log'
import { must } from '@kalnet/io/spawn'
import { NAMESPACE, type Prepared, prepareCluster } from '../support/cluster/prepared.ts'
import { recorded } from './recorded.ts'

export { NAMESPACE }
export const chain = recipeChainOf('terminal')
export const log = createLog('kubernetes', 'silent')

export interface Shared extends Prepared {
  platform(
    changes?: Parameters<typeof settings>[1],
    installation?: string,
    record?: (api: Api) => Api,
  ): ReturnType<typeof createKubernetesPlatform>
  /** What was asked of the cluster, as `verb resource`. */
  asked: ReadonlySet<string>
}

const settings = (kubeconfig: string, changes: object = {}) =>
  kubernetesSettings.parse({
    kubeconfig,
    namespace: NAMESPACE,
    volumeSize: '1Gi',
    // This machine, and cables that other tests lay to it meanwhile.
    closed: [...connectedRanges(), '192.0.2.0/24'].filter((it) => !it.startsWith('198.51.100.')),
    registry: { url: 'http://127.0.0.1:5000' },
    ...changes,
  })

/** As `docker save` writes it; kept, because packing takes longer than all the rest. */
async function archiveOf(image: RecipeChain): Promise<string> {
  const file = join(peerCache(process.env), 'kubernetes', `${referenceOf(image).replace(/[/:]/g, '-')}.tar`)
  if (existsSync(file)) return file
  const it = await exportImage(testImages(), image, AbortSignal.timeout(900_000), () => undefined)
  await must('tar', ['--create', `--file=${file}.new`, '--directory', it.folder, '.'], { timeoutMs: 300_000 })
  await it.drop()
  await rename(`${file}.new`, file)
  // Those of recipes that were changed since.
  for (const name of await readdir(dirname(file)))
    if (name.endsWith('.tar') && name !== basename(file)) await rm(join(dirname(file), name), { force: true })
  return file
}

export async function openShared(): Promise<Shared> {
  const archive = await archiveOf(chain)
  const prepared = await prepareCluster()
  const { cluster, kubeconfig } = prepared
  await cluster.load(archive)
  const asked = new Set<string>()
  return {
    ...prepared,
    asked,
    platform(changes = {}, installation = 'test', record = (api) => recorded(api, asked)) {
      const its = settings(kubeconfig, changes)
      return createKubernetesPlatform({
        settings: its,
        installation,
        // The image lies on the machine already.
        ensurePushed: async (it) => ({
          reference: referenceOf(it.chain),
          tagged: referenceOf(it.chain),
          digest: '',
          blobs: { sent: 0, there: 0, lent: 0 },
          sentBytes: 0,
        }),
        log,
        api: record(createApi(createSignIn(its))),
      })
    },
  }
}
