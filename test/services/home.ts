/** A home for the product with the same roots as all other tests of platforms: built once. */
import { mkdir, mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testCache } from '@kalnet/controller/platforms/testing'

export async function homeWithImages(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'kn-'))
  await mkdir(join(home, 'data'), { mode: 0o755 })
  await mkdir(join(testCache, 'images'), { recursive: true })
  await symlink(join(testCache, 'images'), join(home, 'data', 'images'))
  return home
}
