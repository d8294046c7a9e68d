/** What a test run that was killed leaves on a machine: whole products that go on, and networks nobody is in. The next run takes them away. */
import { existsSync } from 'node:fs'
import { readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { purgeDocker } from '@kalnet/controller/platforms/docker/purge'
import { createLayout } from '@kalnet/controller/platforms/process/layout'
import { createRootNetwork } from '@kalnet/controller/platforms/process/network-root'
import { must, run } from '@kalnet/io/spawn'
import { claim } from '@kalnet/io/testing/claim'

/** In a home that a test made; without it a folder is none of ours. */
const MARK = 'of-a-test'
const NETWORKS = '/run/netns'
/** A network that is being made has nobody in it yet. */
const OLD_MS = 3_600_000

/** From now on this home goes with this process. */
export async function own(home: string): Promise<void> {
  await claim(`home-${home}`)
  await writeFile(join(home, MARK), '')
}

const installationOf = (home: string) =>
  createLayout({ data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') })
    .installation

/** What is left on the machine of a product that does not run any more. */
export async function takeAway(home: string): Promise<void> {
  const data = join(home, 'data')
  // The image stays in the engine for the next one, without the name it had for this one.
  await purgeDocker({ folders: { data, runtime: home, config: home }, keepImages: true })
  if (process.getuid?.() === 0) {
    const installation = installationOf(home)
    const names = await readdir(NETWORKS).catch(() => [])
    for (const name of names.filter((it) => it.startsWith(`kalnet-${installation}-`)))
      await run('ip', ['netns', 'delete', name])
    await createRootNetwork(installation).clear()
  }
  // The cache of images is only linked; without the link nothing of it can be taken away.
  await rm(join(data, 'images'), { force: true })
  await must('rm', ['-rf', '--one-file-system', home]).catch(() => undefined)
}

async function peopled(): Promise<Set<string>> {
  const inhabited = new Set<string>()
  for (const pid of await readdir('/proc'))
    if (/^\d+$/.test(pid)) inhabited.add(await readlink(`/proc/${pid}/ns/net`).catch(() => ''))
  return inhabited
}

/** Networks of instances in which no process has been for long: whose they were is gone. */
async function takeEmptyNetworks(): Promise<void> {
  const names = (await readdir(NETWORKS).catch(() => [])).filter((it) =>
    /^kalnet-[0-9a-f]{4}-[0-9a-f]{8}$/.test(it),
  )
  if (names.length === 0) return
  const inhabited = await peopled()
  for (const name of names) {
    const it = await stat(join(NETWORKS, name)).catch(() => null)
    if (!it || inhabited.has(`net:[${it.ino}]`) || Date.now() - it.ctimeMs < OLD_MS) continue
    await run('ip', ['netns', 'delete', name])
  }
}

let done: Promise<void> | null = null

/** Once for each test process; `kalnet` is the program that ends a product. */
export function takeLeftovers(kalnet: string): Promise<void> {
  done ??= (async () => {
    for (const name of await readdir(tmpdir())) {
      const home = join(tmpdir(), name)
      if (!/^kn-\w{6}$/.test(name) || !existsSync(join(home, MARK))) continue
      const claimed = await claim(`home-${home}`)
      if (!claimed) continue
      await run(kalnet, ['down', '--yes'], {
        env: { ...process.env, KALNET_HOME: home },
        cwd: '/',
        timeoutMs: 120_000,
      })
      await takeAway(home)
      claimed.release()
    }
    if (process.getuid?.() === 0) await takeEmptyNetworks()
  })()
  return done
}
