/** What a container needs on this side: its home, the folder it shares with us, and who it is inside. */
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeGiven } from '../given.ts'
import type { EnsureRequest } from '../platform.ts'
import { removeTree } from '../remove-tree.ts'
import type { DockerLayout } from './layout.ts'

type Paths = ReturnType<DockerLayout['of']>

/** Whom images of ours know as `user`. */
const USER = 1000

/**
 * As root the image's own user; otherwise our own number, because the folders are ours. An engine has one user namespace for
 * all, so nothing but the folders above (0700) keeps a person who has number 1000 on this machine out of them.
 */
export const accountHere = (): number => (process.getuid?.() === 0 ? USER : (process.getuid?.() ?? USER))

/** The image knows user 1000; anybody else needs a name put over it. */
export const needsName = (uid: number): boolean => uid !== USER

export async function prepareFolders(paths: Paths, request: EnsureRequest, uid: number): Promise<void> {
  // Above the instance's own folders nobody but us may pass: what lies in them is not reachable for others of its number.
  for (const folder of [dirname(paths.folder), paths.folder, dirname(paths.run), dirname(paths.given)]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
  }
  for (const folder of [paths.home, paths.run]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (process.getuid?.() === 0) await chown(folder, uid, uid)
  }
  await rm(paths.given, { recursive: true, force: true })
  await mkdir(paths.given, { mode: 0o755 })
  await makeGiven(paths.given, request, process.getuid?.() === 0 ? uid : null)
  if (!needsName(uid)) return
  await writeFile(
    paths.passwd,
    `root:x:0:0:root:/root:/usr/sbin/nologin\nuser:x:${uid}:${uid}:User:/home/user:/bin/bash\n`,
    { mode: 0o644 },
  )
  await writeFile(paths.group, `root:x:0:\nuser:x:${uid}:\n`, { mode: 0o644 })
}

export async function removeFolders(paths: Paths): Promise<void> {
  for (const folder of [paths.run, paths.given, paths.folder]) await removeTree(folder)
}
