/**
 * The read-only root as the sandbox shows it. A volume may be wanted where the image has no folder, and nothing can be made in a
 * root that cannot be written: then the folders on the way are made anew, and all that the image has in them is shown there.
 */
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Folders of the image, from the top, that must be made anew so that these places can exist. */
async function foldersOnTheWay(root: string, places: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const place of places) {
    const names = place.split('/').filter(Boolean)
    const way = names.map((_, index) => names.slice(0, index).join('/'))
    for (const [index, name] of names.entries()) {
      const path = join(root, way[index]!, name)
      const it = await lstat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null
        throw error
      })
      if (it && !it.isDirectory())
        throw new Error(`${place} lies behind something of the image that is no folder`)
      if (it) continue
      for (const folder of way.slice(0, index + 1)) found.add(folder)
      break
    }
  }
  return [...found].sort((one, other) => one.split('/').length - other.split('/').length)
}

/** What comes first, and what must come when everything else is in its place. `shown`: where the sandbox finds the root. */
export async function rootView(
  root: string,
  shown: string,
  places: readonly string[],
): Promise<{ first: string[]; last: string[] }> {
  const anew = await foldersOnTheWay(root, places)
  if (anew.length === 0) return { first: ['--ro-bind', shown, '/'], last: [] }
  const first: string[] = []
  for (const folder of anew) {
    if (folder !== '') first.push('--perms', '0755', '--dir', `/${folder}`)
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (anew.includes(path)) continue
      if (entry.isSymbolicLink()) first.push('--symlink', await readlink(join(root, path)), `/${path}`)
      else first.push('--ro-bind', `${shown}/${path}`, `/${path}`)
    }
  }
  return { first, last: ['--remount-ro', '/'] }
}
