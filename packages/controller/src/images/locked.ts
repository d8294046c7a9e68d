/**
 * Packages of npm and PyPI by lock. npm's are fetched here, as the user we are and as this machine's npm is told, and nothing of
 * them runs: they go into the root as a tar file. pip runs inside the root (the host need not have it) and takes wheels only, so
 * that nothing of those runs either.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { RecipeLayer } from '@kalnet/contracts/recipe'
import { readIfThere } from '@kalnet/io/files'
import { unpackText } from '@kalnet/io/recipe-locks'
import { must } from '@kalnet/io/spawn'
import { z } from 'zod'
import { hostPip } from './pip.ts'
import type { BuildProgress } from './progress.ts'
import { supervise } from './supervise.ts'

const LIMIT_MS = 15 * 60_000
const PACK = ['--format=pax', '--pax-option=delete=atime,delete=ctime', '--sort=name', '--mtime=@0']
const OWNER = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w']
/** Debian's npm reads it, others only when told: what a machine's owner wrote there counts for all. */
const NPMRC = '/etc/npmrc'

const installed = z.object({ packages: z.record(z.string(), z.object({ version: z.string() })) })

export interface LockedOrders {
  layer: RecipeLayer
  /** Read by the builder's namespace: open to all. */
  work: string
  /** Ours alone. */
  stage: string
  signal: AbortSignal
  report: (it: BuildProgress) => void
}

/** npm's own program beside the Node that runs us, as the launcher fetched it; else the machine's. */
async function npmCommand(): Promise<[string, ...string[]]> {
  const cli = join(dirname(process.execPath), '../../npm/bin/npm-cli.js')
  return (await readIfThere(cli)) === null ? ['npm'] : [process.execPath, cli]
}

async function fetchNpm(npm: NonNullable<RecipeLayer['npm']>, it: LockedOrders): Promise<void> {
  const { layer, work, stage, signal, report } = it
  report({ text: `Fetching packages for ${layer.name}`, share: 0.02 })
  const folder = join(stage, 'npm')
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), unpackText(npm.manifest))
  await writeFile(join(folder, 'package-lock.json'), unpackText(npm.lock))
  const [command, ...words] = await npmCommand()
  const told = process.env.npm_config_globalconfig ?? process.env.NPM_CONFIG_GLOBALCONFIG
  const hasRc = told === undefined && (await readIfThere(NPMRC)) !== null
  const how = [
    'ci',
    '--ignore-scripts',
    '--omit=dev',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--no-progress',
  ]
  await supervise(command, [...words, ...how], {
    cwd: folder,
    env: { ...process.env, ...(hasRc && { npm_config_globalconfig: NPMRC }) },
    signal,
    timeoutMs: LIMIT_MS,
    onLine: () => undefined,
  })
  const kept = installed.parse(
    JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8')),
  )
  const lines = Object.entries(kept.packages).map(
    ([path, { version }]) => `npm:${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version}\n`,
  )
  await writeFile(join(work, 'npm.packages'), [...new Set(lines)].sort().join(''), { mode: 0o644 })
  await must(
    'tar',
    ['--create', `--file=${join(work, 'npm.tar')}`, ...PACK, ...OWNER, `--directory=${folder}`, '.'],
    {
      signal,
      timeoutMs: LIMIT_MS,
    },
  )
  await writeFile(join(work, 'npm.scripts'), npm.scripts.map((name) => `${name}\n`).join(''), { mode: 0o644 })
}

/** Writes what the builder's last step does with them; answers what its environment must say. */
export async function orderLocked(it: LockedOrders): Promise<NodeJS.ProcessEnv> {
  const { layer, work } = it
  if (!layer.npm && !layer.pypi) return {}
  await writeFile(join(work, 'opt'), layer.name, { mode: 0o644 })
  if (layer.npm) await fetchNpm(layer.npm, it)
  if (!layer.pypi) return {}
  await writeFile(join(work, 'requirements.txt'), unpackText(layer.pypi.requirements), { mode: 0o644 })
  const { environment, certificates } = await hostPip(process.env)
  if (certificates !== null) await writeFile(join(work, 'certificates.pem'), certificates, { mode: 0o644 })
  for (const name of ['resolv.conf', 'hosts'])
    await writeFile(join(work, name), (await readIfThere(join('/etc', name))) ?? '', { mode: 0o644 })
  return environment
}
