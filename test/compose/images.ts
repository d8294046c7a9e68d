/**
 * The images that the compose files name, made here: no registry of images is reached where this is tested. Kalnet's own are built by its
 * Dockerfile; those of others are the same programs on Debian under the published names, and are not the published images.
 */
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { peerCache } from '@kalnet/cli/suite/peers'
import { must, run } from '@kalnet/io/spawn'
import { traefikProgram } from '../peers/60-traefik.ts'
import { CHECKOUT } from '../support/product.ts'

const HERE = fileURLToPath(new URL('./images/', import.meta.url))
const LIMIT_MS = 30 * 60_000
/** Debian with Node and npm, as `node:24-bookworm-slim` is; it knows this machine's way to packages. */
const BASE = 'kalnet-compose/node:24'
/** Raised when the way of making the base changes. */
const BASE_STAMP = '1'
/** Ours are told from anybody's by this label. */
const LABEL = 'kalnet.test=compose'
export const OTHERS = { 'postgres:17': 'postgres', 'nats:2-alpine': 'nats', 'traefik:v3.6': 'traefik' }
export const OWN = { 'kalnet:local': 'kalnet', 'kalnet-controller:local': 'controller' }

export const docker = (...args: string[]) => must('docker', args, { timeoutMs: LIMIT_MS })
/** The builder of every engine, also of those without its newer one. */
const build = (...args: string[]) =>
  must('docker', ['build', '--network=host', '--label', LABEL, '--build-arg', `BASE=${BASE}`, ...args], {
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
    timeoutMs: LIMIT_MS,
  })
const labelOf = async (image: string) => {
  const { code, stdout } = await run('docker', [
    'image',
    'inspect',
    '--format',
    '{{json .Config.Labels}}',
    image,
  ])
  return code === 0 ? stdout : null
}

/** What the machine says of registries and authorities, so that what is built finds its packages as the machine does. */
const OF_MACHINE = [
  '/etc/npmrc',
  '/etc/apt/sources.list.d/debian.sources',
  '/etc/apt/apt.conf.d',
  '/etc/ssl/certs/ca-certificates.crt',
]

/** The npm that the launcher fetched beside our Node, else the machine's. */
async function npmFolder(): Promise<string> {
  const beside = join(dirname(process.execPath), '../../npm')
  if (existsSync(beside)) return beside
  const found = (await must('which', ['npm'])).stdout.trim()
  return dirname(dirname(await realpath(found)))
}

async function makeBase(): Promise<void> {
  if ((await labelOf(BASE))?.includes(`"kalnet.base":"${BASE_STAMP}"`)) return
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-base-'))
  try {
    const root = join(folder, 'root')
    const packed = join(folder, 'root.tar')
    const without = ['man', 'doc', 'locale'].map((it) => `--dpkgopt=path-exclude=/usr/share/${it}/*`)
    await must(
      'mmdebstrap',
      ['--variant=minbase', '--include=ca-certificates', ...without, 'bookworm', packed],
      { timeoutMs: LIMIT_MS },
    )
    await mkdir(root)
    await must('tar', ['--extract', `--file=${packed}`, `--directory=${root}`], { timeoutMs: LIMIT_MS })
    await cp(process.execPath, join(root, 'usr/local/bin/node'))
    await cp(await npmFolder(), join(root, 'usr/local/lib/node_modules/npm'), {
      recursive: true,
    })
    await must('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm')])
    for (const path of OF_MACHINE)
      if (existsSync(path))
        await cp(path, join(root, path), { recursive: true, dereference: true, force: true })
    if (existsSync('/etc/npmrc')) await cp('/etc/npmrc', join(root, 'usr/local/etc/npmrc'))
    if (existsSync(join(root, 'etc/apt/sources.list.d/debian.sources')))
      await rm(join(root, 'etc/apt/sources.list'), { force: true })
    await must('tar', ['--create', `--file=${packed}`, `--directory=${root}`, '--exclude=./dev/*', '.'], {
      timeoutMs: LIMIT_MS,
    })
    const changes = [
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt',
      `LABEL kalnet.test=compose kalnet.base=${BASE_STAMP}`,
    ]
    await docker('import', ...changes.flatMap((it) => ['--change', it]), packed, BASE)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Under the published name; where somebody has the real one, that one is used. */
async function makeOther(name: string, what: string): Promise<void> {
  const found = await labelOf(name)
  if (found !== null && !found.includes('"kalnet.test"')) return
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-image-'))
  try {
    await cp(join(HERE, what), folder, { recursive: true })
    if (what === 'traefik') await cp(traefikProgram(peerCache(process.env)), join(folder, 'traefik'))
    await build('--tag', name, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** All of them; answers how large ours are and how long they took. */
export async function makeImages(): Promise<Record<string, { bytes: number; ms: number }>> {
  await makeBase()
  for (const [name, what] of Object.entries(OTHERS)) await makeOther(name, what)
  const made: Record<string, { bytes: number; ms: number }> = {}
  for (const [name, target] of Object.entries(OWN)) {
    const began = performance.now()
    const how = ['--build-arg', `KALNET_BASE=${BASE}`, '--target', target, '--tag', name]
    await build(...how, '--file', join(CHECKOUT, 'deploy/compose/Dockerfile'), CHECKOUT)
    const { stdout } = await docker('image', 'inspect', '--format', '{{.Size}}', name)
    made[name] = { bytes: Number(stdout.trim()), ms: Math.round(performance.now() - began) }
  }
  return made
}

/** Everything that was made, and what was left over of making it. */
export async function dropImages(): Promise<void> {
  for (const name of [...Object.keys(OWN), ...Object.keys(OTHERS), BASE])
    if ((await labelOf(name))?.includes('"kalnet.test"')) await docker('image', 'rm', name)
  await docker('image', 'prune', '--force', '--filter', 'label=org.kalnet.stage')
}
