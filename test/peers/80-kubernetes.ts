/**
 * Kubernetes 1.34: API server, etcd, controller manager, scheduler and kubelet in one program, with what a machine of a cluster needs
 * (containerd, network plugins). Built once; `test/support/cluster.ts` starts clusters of it.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Peer, type PeerContext, peerCache } from '@kalnet/cli/suite/peers'
import { must } from '@kalnet/io/spawn'
import { hasStamp } from './go-install.ts'

const VERSION = '1.34.4'
/** Raised when what is built changes. */
const STAMP = `${VERSION}-1`
const MODULE = 'k8s.io/kubernetes'
const LIMIT_MS = 20 * 60_000
const SOURCES = join(import.meta.dirname, 'kubernetes')
/** What an image of somebody else may not be called: nobody pulls it. */
export const PAUSE_IMAGE = 'kalnet.test/pause:1'

const folderIn = (cache: string) => join(cache, 'kubernetes', VERSION)
const isBuilt = async (cache: string) => hasDebian() && (await hasStamp(folderIn(cache), STAMP))

export interface KubernetesParts {
  /** Its first argument says which part of Kubernetes it is. */
  program: string
  pauseImage: string
}

export const kubernetesParts = (cache = peerCache(process.env)): KubernetesParts => ({
  program: join(folderIn(cache), 'kubernetes'),
  pauseImage: join(folderIn(cache), 'pause.tar'),
})

export const hasKubernetes = (): Promise<boolean> => isBuilt(peerCache(process.env))

/** Program that shows the package is there → package. */
const PACKAGES: Record<string, string> = {
  '/usr/bin/containerd': 'containerd',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  '/usr/sbin/iptables': 'iptables',
}
const missing = () => Object.entries(PACKAGES).flatMap(([path, name]) => (existsSync(path) ? [] : [name]))
const hasDebian = () => missing().length === 0

export const peer: Peer = {
  name: `Kubernetes ${VERSION}`,
  proves: 'instances as pods of a real cluster, with its scheduler, kubelet, volumes and network policies',
  async ensure(context) {
    const { env, cache, signal, say } = context
    if (await isBuilt(cache)) return
    if (process.getuid?.() !== 0) throw new Error('only root can start the machine of a cluster')
    if (!hasDebian()) {
      say('installing')
      await must('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...missing()], {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
        timeoutMs: LIMIT_MS,
        signal,
      })
    }
    const beside = `${folderIn(cache)}.${process.pid}`
    await rm(beside, { recursive: true, force: true })
    await mkdir(beside, { recursive: true })
    await buildOfKubernetes(context, { folder: beside, main: 'main.go.text', program: 'kubernetes' })
    await buildPause(context, beside)
    // Last, and the folder renamed as a whole: a broken run leaves nothing that looks whole.
    await writeFile(join(beside, 'stamp'), STAMP)
    await rm(folderIn(cache), { recursive: true, force: true })
    await rename(beside, folderIn(cache))
  },
}

export type Build = Pick<PeerContext, 'env' | 'signal' | 'say'>

export const goOptions = ({ env, signal }: Build, cwd: string) => ({
  cwd,
  // Only modules; a failed look-up must not try version control.
  env: { ...env, CGO_ENABLED: '0', GOVCS: '*:off', GOFLAGS: `${env.GOFLAGS ?? ''} -mod=mod -trimpath` },
  signal,
  timeoutMs: LIMIT_MS,
})

/** A program of parts of it: `main` is a file of the folder beside. */
export async function buildOfKubernetes(
  context: Build,
  { folder, main, program }: { folder: string; main: string; program: string },
): Promise<void> {
  const source = join(folder, 'source')
  await mkdir(source)
  const options = goOptions(context, source)
  context.say('downloading')
  const { stdout } = await must('go', ['mod', 'download', '-json', `${MODULE}@v${VERSION}`], {
    ...options,
    cwd: folder,
  })
  const { Dir: module } = JSON.parse(stdout) as { Dir: string }
  const lines = (await readFile(join(module, 'go.mod'), 'utf8'))
    .replace(/^module .*/m, 'module peer')
    // Its own modules lie in its own tree there; published they have versions of their own.
    .replace(/^replace \([^)]*\)/m, '')
    .replace(/^(\tk8s\.io\/[a-z-]+) v0\.0\.0( .*)?$/gm, `$1 v0${VERSION.slice(1)}$2`)
  await writeFile(join(source, 'go.mod'), `${lines}\nrequire ${MODULE} v${VERSION}\n`)
  await copyFile(join(module, 'go.sum'), join(source, 'go.sum'))
  await copyFile(join(SOURCES, main), join(source, 'main.go'))
  context.say('building')
  // Half of what is built runs a few times at most: without inlining and without what debuggers read it is there a third sooner.
  const quickly = ['-gcflags', 'all=-l -dwarf=false', '-gcflags', 'std=-dwarf=false']
  // Without a version clients cannot tell what it is.
  const named = ['component-base/version', 'client-go/pkg/version']
    .map((it) => `-X k8s.io/${it}.gitVersion=v${VERSION}`)
    .join(' ')
  const words = ['build', ...quickly, '-ldflags', `-s -w ${named}`, '-o', join(folder, program), '.']
  await must('go', words, { ...options, env: { ...options.env, GOGC: '400' } })
  await rm(source, { recursive: true, force: true })
}

async function buildPause(context: Build, folder: string): Promise<void> {
  const work = join(folder, 'pause')
  await mkdir(work)
  const options = goOptions(context, work)
  await copyFile(join(SOURCES, 'pause.go.text'), join(work, 'pause.go'))
  await must('go', ['build', '-ldflags', '-s -w', '-o', join(work, 'pause'), join(work, 'pause.go')], options)
  await packProgram({
    work,
    program: 'pause',
    name: PAUSE_IMAGE,
    user: '65535:65535',
    file: join(folder, 'pause.tar'),
  })
  await rm(work, { recursive: true, force: true })
}

/** As `docker save` writes it: one layer with one program that needs nothing beside it. */
export async function packProgram(it: {
  work: string
  program: string
  name: string
  user: string
  file: string
}): Promise<void> {
  const { work, program } = it
  const options = { cwd: work, timeoutMs: LIMIT_MS }
  await must(
    'tar',
    ['--create', '--file=layer.tar', '--owner=0', '--group=0', '--mtime=@0', program],
    options,
  )
  const sum = createHash('sha256')
    .update(await readFile(join(work, 'layer.tar')))
    .digest('hex')
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [`/${program}`], User: it.user },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sum}`] },
  }
  await writeFile(join(work, 'config.json'), JSON.stringify(config))
  const manifest = [{ Config: 'config.json', RepoTags: [it.name], Layers: ['layer.tar'] }]
  await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest))
  const content = ['manifest.json', 'config.json', 'layer.tar']
  await must('tar', ['--create', `--file=${it.file}`, ...content], options)
}
