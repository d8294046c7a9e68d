/**
 * A real Kubernetes cluster with one real machine, in namespaces of its own: nothing of it touches this machine but one cable and one
 * folder in each cgroup tree, and both go with it. It ends with whoever started it, also when that one is killed.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peerCache } from '@kalnet/cli/suite/peers'
import { systemClock } from '@kalnet/io/clock'
import { must, run, start } from '@kalnet/io/spawn'
import { kubernetesParts } from '../peers/80-kubernetes.ts'
import { AUDIT_POLICY } from './cluster/audit.ts'
import { call } from './cluster/call.ts'
import { apiUrl, kubeconfig, type Layout, writeFiles } from './cluster/files.ts'
import { clearLeftovers, removeCgroups, startTime } from './cluster/leftovers.ts'

const READY_MS = 90_000
const END_MS = 20_000
const near = `knc${process.pid}`

export interface Cluster {
  url: string
  /** Of somebody who may do everything. */
  kubeconfig: string
  /** The same for another token, as `tokenOf` makes them. */
  kubeconfigFor(token: string): string
  folder: string
  /** This machine's address as the cluster sees it. */
  here: string
  there: string
  /** What its pods get addresses of. */
  pods: string
  /** By the API as who may do everything: JSON in, JSON out; throws for what is no success. */
  call<T = unknown>(method: string, path: string, body?: unknown, type?: string): Promise<T>
  /** A program in the machine's namespaces, for what its owner could do. */
  inMachine(command: string, args: string[]): ReturnType<typeof run>
  /** Gives the machine an image: a file as `docker save` writes it. */
  load(path: string): Promise<void>
  /** What a part printed. */
  log(part: string): Promise<string>
  /** Of the first process inside, as this machine counts. */
  pid: number
  stop(): Promise<void>
}

/** Only root can; `hasKubernetes` says whether it is installed. `audited`: it writes down what accounts ask of it (`askedBy`). */
export async function startCluster(signal?: AbortSignal, { audited = false } = {}): Promise<Cluster> {
  const all = join(peerCache(process.env), 'kubernetes', 'running')
  await clearLeftovers(all)
  // Two at once get different ones: of a number that no other process has.
  const number = process.pid % 60_000
  const [high, low] = [number >> 8, number & 255]
  const name = `kncluster-${process.pid}`
  const layout: Layout = {
    folder: join(all, name),
    here: `198.18.${high & 63}.${(low & 63) * 4 + 1}`,
    there: `198.18.${high & 63}.${(low & 63) * 4 + 2}`,
    pods: `10.${200 + (number % 50)}.${low}.0/24`,
    parent: name,
  }
  await rm(layout.folder, { recursive: true, force: true })
  await mkdir(layout.folder, { recursive: true, mode: 0o711 })
  const token = await writeFiles(layout)
  if (audited) await writeFile(join(layout.folder, 'audit.json'), JSON.stringify(AUDIT_POLICY))
  const parts = kubernetesParts()
  const { folder, here, there, pods, parent } = layout
  const words = [
    join(import.meta.dirname, 'cluster/machine.sh'),
    folder,
    parts.program,
    here,
    there,
    pods,
    parent,
  ]
  const outer = start(
    'unshare',
    ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', ...words],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder },
    },
  )
  let said = ''
  for (const stream of [outer.stdout, outer.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4000)
    })
  outer.stdin?.on('error', () => undefined)
  const stop = () => end(outer, layout)
  try {
    const pid = await firstInside(outer.pid ?? 0)
    await writeFile(join(folder, 'pid'), `${pid} ${await startTime(pid)}`)
    await plug(layout, pid)
    outer.stdin?.write('go\n')
    const until = Date.now() + READY_MS
    const eventually = async (what: string, holds: () => Promise<boolean>) => {
      while (!(await holds().catch(() => false))) {
        signal?.throwIfAborted()
        if (outer.exitCode !== null) throw new Error(`the cluster ended: ${said}`)
        if (Date.now() > until) throw new Error(`${what} is not ready: ${said}`)
        await systemClock.sleep(100)
      }
    }
    let authority = ''
    await eventually('the API', async () => {
      authority = await readFile(join(folder, 'certs/apiserver.crt'), 'utf8')
      return (await call({ url: apiUrl(layout), token, authority }, 'GET', '/readyz')) === 'ok'
    })
    const config = kubeconfig(layout, token, authority)
    await writeFile(join(folder, 'admin.kubeconfig'), config, { mode: 0o600 })
    await writeFile(join(folder, 'ready'), '')
    const ask: Cluster['call'] = async <T>(method: string, path: string, body?: unknown, type?: string) =>
      (await call({ url: apiUrl(layout), token, authority }, method, path, body, type)) as T
    const inMachine = (command: string, args: string[]) =>
      run('nsenter', ['--target', String(pid), '--net', '--mount', '--pid', command, ...args], {
        timeoutMs: 120_000,
      })
    const load = async (path: string) => {
      const its = ['--address', `${folder}/containerd.sock`, '--namespace', 'k8s.io']
      await must(
        'nsenter',
        ['--target', String(pid), '--net', '--mount', 'ctr', ...its, 'images', 'import', path],
        {
          timeoutMs: 180_000,
        },
      )
    }
    await eventually('containerd', async () => {
      await load(parts.pauseImage)
      return true
    })
    await eventually('the machine', async () => {
      const node = await ask<{ status: { conditions?: { type: string; status: string }[] } }>(
        'GET',
        '/api/v1/nodes/machine-1',
      )
      return node.status.conditions?.some((it) => it.type === 'Ready' && it.status === 'True') ?? false
    })
    await eventually('its service account', async () =>
      Boolean(await ask('GET', '/api/v1/namespaces/default/serviceaccounts/default')),
    )
    return {
      url: apiUrl(layout),
      kubeconfig: config,
      kubeconfigFor: (other) => kubeconfig(layout, other, authority),
      folder,
      here,
      there,
      pods,
      call: ask,
      inMachine,
      load,
      log: (part) => readFile(join(folder, `${part}.log`), 'utf8'),
      pid,
      stop,
    }
  } catch (error) {
    const logs = await Promise.all(
      ['containerd', 'etcd', 'kube-apiserver', 'kubelet'].map(async (it) => {
        const text = await readFile(join(folder, `${it}.log`), 'utf8').catch(() => '')
        return `${it}: ${text.slice(-800)}`
      }),
    )
    await stop()
    throw new Error(`${error instanceof Error ? error.message : error}\n${logs.join('\n')}`, { cause: error })
  }
}

/** The one child of `unshare` (/proc/<pid>/task/<pid>/children, proc(5)): the first process of the new namespace. */
async function firstInside(outer: number): Promise<number> {
  const until = Date.now() + 5_000
  for (;;) {
    const children = await readFile(`/proc/${outer}/task/${outer}/children`, 'utf8').catch(() => '')
    const pid = Number(children.trim().split(' ')[0])
    if (pid > 0) return pid
    if (Date.now() > until) throw new Error('no namespaces could be made')
    await systemClock.sleep(10)
  }
}

/** The cable goes with the namespace that has its other end. */
async function plug({ here, there, pods }: Layout, pid: number): Promise<void> {
  await must('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)])
  await must('ip', ['addr', 'add', `${here}/30`, 'dev', near])
  await must('ip', ['link', 'set', near, 'up'])
  await must('ip', ['route', 'add', pods, 'via', there])
}

/** Its first process takes everything with it: containers, mounts, addresses, rules of the filter. */
async function end(outer: ChildProcess, { folder, parent }: Layout): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    if (outer.exitCode !== null || outer.signalCode !== null) resolve()
    else outer.once('exit', () => resolve())
  })
  outer.stdin?.end()
  const late = setTimeout(() => outer.kill('SIGKILL'), END_MS)
  await ended
  clearTimeout(late)
  // The kernel takes it when it has time for it; now is better.
  await run('ip', ['link', 'del', near])
  await removeCgroups(parent)
  await rm(folder, { recursive: true, force: true })
}
