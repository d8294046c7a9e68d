/** What a container needs on this side: its home, the folder it shares with us, and who it is inside. */
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { run } from '@kalnet/io/spawn'
import { chooseAccount } from '../process/accounts.ts'
import type { DockerLayout } from './layout.ts'

type Paths = ReturnType<DockerLayout['of']>

/** The process platform hands out this range from its front; ours begins in the middle. */
const OTHERS = Array.from({ length: 32_768 }, (_, index) => 200_000 + index)

/** As root a number of its own for every session; otherwise ours, because the folders are ours. */
export async function accountFor(taken: number[]): Promise<number> {
  const own = process.getuid?.() ?? 0
  return own === 0 ? chooseAccount([...OTHERS, ...taken]) : own
}

export async function prepareFolders(paths: Paths, uid: number): Promise<void> {
  // Above the instance's own folders nobody but us may pass: what lies in them is not reachable for others of its number.
  for (const folder of [dirname(paths.folder), paths.folder, dirname(paths.run)]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
  }
  for (const folder of [paths.home, paths.run]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (process.getuid?.() === 0) await chown(folder, uid, uid)
  }
  await writeFile(
    paths.passwd,
    `root:x:0:0:root:/root:/usr/sbin/nologin\nuser:x:${uid}:${uid}:User:/home/user:/bin/bash\n`,
    { mode: 0o644 },
  )
  await writeFile(paths.group, `root:x:0:\nuser:x:${uid}:\n`, { mode: 0o644 })
}

/** A session may have left folders that even their owner cannot enter. */
export async function removeFolders(paths: Paths): Promise<void> {
  for (const folder of [paths.run, paths.folder]) {
    try {
      await rm(folder, { recursive: true, force: true })
    } catch {
      await run('chmod', ['-R', 'u+rwX', '--', folder])
      await rm(folder, { recursive: true, force: true })
    }
  }
}
