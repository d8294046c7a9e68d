/** One part of a test cluster as somebody on its machine sees it: it can be frozen, killed, and started again with the words it had. */
import { openSync } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { start } from '@kalnet/io/spawn'
import { kubernetesParts } from '../../peers/80-kubernetes.ts'
import type { Cluster } from '../cluster.ts'

const GONE_MS = 20_000

export interface Part {
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** SIGKILL; resolves when nothing of it is left. */
  kill(): Promise<void>
  /** As it was started first; its output goes on in the same file. */
  begin(): Promise<void>
}

/** `name`: the word that the program of all parts is told, or containerd. */
export async function partOf(cluster: Cluster, name: string): Promise<Part> {
  const space = (pid: number | string) => readlink(`/proc/${pid}/ns/pid`).catch(() => null)
  const its = await space(cluster.pid)
  async function found(): Promise<{ pid: number; words: string[] }[]> {
    const all = (await readdir('/proc')).filter((it) => /^\d+$/.test(it))
    const seen = await Promise.all(
      all.map(async (pid) => {
        if ((await space(pid)) !== its) return []
        const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))
          .split('\0')
          .slice(0, -1)
        const isIt = words[0] === kubernetesParts().program && words[1] === name
        return isIt ? [{ pid: Number(pid), words }] : []
      }),
    )
    return seen.flat()
  }
  const [first] = await found()
  if (!first) throw new Error(`no ${name} runs in the cluster`)
  const signal = async (word: NodeJS.Signals) => {
    for (const { pid } of await found()) process.kill(pid, word)
  }
  return {
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async kill() {
      await signal('SIGKILL')
      const until = Date.now() + GONE_MS
      while ((await found()).length > 0) {
        if (Date.now() > until) throw new Error(`${name} does not end`)
        await systemClock.sleep(50)
      }
    },
    async begin() {
      const output = openSync(join(cluster.folder, `${name}.log`), 'a')
      const inside = ['--target', String(cluster.pid), '--net', '--mount', '--pid']
      start('nsenter', [...inside, ...first.words], {
        stdio: ['ignore', output, output],
        cwd: '/',
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: cluster.folder },
      })
    },
  }
}
