/**
 * Files that we put into an instance, as `/run/kalnet/<folder>/<name>`: they lie beside the folder it shares with us, are shown
 * read-only, and a whole set changes at once. A reader sees the old set or the new one, never a certificate beside another's key.
 */
import { chmod, chown, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import type { EnsureRequest } from './platform.ts'

/** The one set that names lead into. */
const NOW = '..now'

/** Which of them an instance has. */
export const givenFolders = (spec: InstanceSpec): string[] => [
  ...(spec.files.length > 0 ? ['files'] : []),
  ...(spec.identity ? ['identity'] : []),
]

/** Also what is empty: it is shown before anything is in it. */
export async function makeGiven(place: string, request: EnsureRequest, uid: number | null): Promise<void> {
  const contents: Record<string, Record<string, string>> = {
    files: Object.fromEntries(request.spec.files.map((it) => [it.name, it.content])),
    identity: request.identity ?? {},
  }
  for (const folder of givenFolders(request.spec))
    await give(join(place, folder), contents[folder] ?? {}, uid)
}

/** `folder` and what is in it are ours; `uid` may read, nobody may write. Can be done twice. */
export async function give(folder: string, files: Record<string, string>, uid: number | null): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  await chmod(folder, 0o755)
  const before = await readdir(folder)
  const set = `..${Math.max(0, ...before.map((it) => Number(it.slice(2)) || 0)) + 1}`
  await mkdir(join(folder, set), { mode: 0o755 })
  await chmod(join(folder, set), 0o755)
  for (const [name, content] of Object.entries(files)) {
    if (basename(name) !== name || name.startsWith('.')) throw new Error(`${name} is no name of a file`)
    const path = join(folder, set, name)
    await writeFile(path, content, { mode: 0o400 })
    if (uid !== null) await chown(path, uid, uid)
  }
  await point(join(folder, NOW), set)
  for (const name of Object.keys(files)) await point(join(folder, name), join(NOW, name))
  for (const name of before) {
    const isWanted = name === NOW || name in files
    if (!isWanted) await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** A link that leads there at once, whatever it led to before. */
async function point(path: string, target: string): Promise<void> {
  const fresh = `${path}.new`
  await rm(fresh, { force: true })
  await symlink(target, fresh)
  await rename(fresh, path)
}
