/**
 * What a cluster has beside its machines so that its programs find each other: kube-proxy (addresses of services) and CoreDNS (their names).
 * Only what runs Kalnet itself there needs them, so they are built when that is asked for.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Peer, peerCache } from '@kalnet/cli/suite/peers'
import { must } from '@kalnet/io/spawn'
import { buildOfKubernetes, goOptions, packProgram } from './80-kubernetes.ts'
import { hasStamp } from './go-install.ts'

const COREDNS = '1.12.4'
const STAMP = `1.34.4-${COREDNS}-1`
export const NAMES_IMAGE = 'kalnet.test/coredns:1'

const folderIn = (cache: string) => join(cache, 'cluster-network', STAMP)

export const networkParts = (cache = peerCache(process.env)) => ({
  proxy: join(folderIn(cache), 'kube-proxy'),
  namesImage: join(folderIn(cache), 'coredns.tar'),
})
export const hasClusterNetwork = (): Promise<boolean> => hasStamp(folderIn(peerCache(process.env)), STAMP)

export const peer: Peer = {
  name: 'kube-proxy and CoreDNS',
  proves:
    'that Kalnet itself runs on a cluster, its parts finding each other by names and addresses of services',
  async ensure(context) {
    const folder = folderIn(context.cache)
    if (context.env.KALNET_CLUSTER !== 'all' || (await hasStamp(folder, STAMP))) return
    const beside = `${folder}.${process.pid}`
    await rm(beside, { recursive: true, force: true })
    const work = join(beside, 'work')
    await mkdir(work, { recursive: true })
    await buildOfKubernetes(context, { folder: beside, main: 'proxy.go.text', program: 'kube-proxy' })
    const options = goOptions(context, work)
    await must('go', ['install', '-ldflags', '-s -w', `github.com/coredns/coredns@v${COREDNS}`], {
      ...options,
      env: { ...options.env, GOFLAGS: '-trimpath', GOBIN: work },
    })
    await packProgram({
      work,
      program: 'coredns',
      name: NAMES_IMAGE,
      user: '0:0',
      file: join(beside, 'coredns.tar'),
    })
    await rm(work, { recursive: true, force: true })
    await writeFile(join(beside, 'stamp'), STAMP)
    await rm(folder, { recursive: true, force: true })
    await rename(beside, folder)
  },
}
