/** Images in a real registry (Debian's docker-registry): read by crane, run by Docker, pushed through a connection that breaks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '@kalnet/cli/testing'
import { createRegistryImages } from '@kalnet/controller/images/oci/push'
import { recipeChainOf, testImages } from '@kalnet/controller/platforms/testing'
import { must, run } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startToxiproxy, type Toxiproxy } from '../peers/70-toxiproxy.ts'
import { craneProgram } from '../peers/76-crane.ts'
import {
  type ImageRegistryProcess,
  REGISTRY_CREDENTIALS,
  startImageRegistry,
} from '../support/image-registry.ts'
import { lacking } from '../support/parts.ts'

const needs = ['mmdebstrap', 'docker', 'crane', 'imageRegistry', 'toxiproxy'] as const
const skipped = await lacking(needs, 'that images in a registry are right for others, too')

describe.skipIf(skipped)('a real registry', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kalnet-registry-'))
  const images = testImages()
  const chain = recipeChainOf('base')
  const signal = () => AbortSignal.timeout(110_000)
  let registry: ImageRegistryProcess
  let toxiproxy: Toxiproxy

  beforeAll(async () => {
    await images.ensureRoot(chain, AbortSignal.timeout(280_000), () => undefined)
    registry = await startImageRegistry(folder, { signIn: true })
    toxiproxy = await startToxiproxy()
  }, 300_000)
  afterAll(async () => {
    await toxiproxy?.stop()
    await registry?.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The command line in a home whose images are those kept for tests. */
  async function kalnet(...args: string[]) {
    const home = join(folder, 'home')
    await mkdir(join(home, 'data'), { recursive: true })
    await symlink(images.folder, join(home, 'data/images')).catch(() => undefined)
    const file = join(folder, 'credentials')
    await writeFile(file, `${REGISTRY_CREDENTIALS.user}:${REGISTRY_CREDENTIALS.password}\n`, { mode: 0o600 })
    const words = ['images', 'push', ...args, '--credentials', file]
    return cli(home, ...words)
  }

  test('[K8S-2.push-broken] a connection that is cut in the middle of a layer, and a registry killed in it: it ends there whole', async () => {
    const port = await toxiproxy.between('registry', registry.port)
    await toxiproxy.poison('registry', 'limit_data', { bytes: 12_000_000 }, 'upstream')
    const pushes = createRegistryImages({ images })
    let beginnings = 0
    let killed: Promise<void> | null = null
    const done = await pushes.ensurePushed({
      chain,
      registry: {
        url: `http://127.0.0.1:${port}`,
        repositoryPrefix: 'broken',
        credentials: REGISTRY_CREDENTIALS,
      },
      prefer: 'here',
      signal: signal(),
      say({ text }) {
        const sent = /Sending base to the registry \(1 of \d\): ([\d.]+) of/.exec(text)?.[1]
        if (sent === '0.0') beginnings += 1
        // Cut once: a registry of this kind forgets what broke in the middle of a piece.
        if (sent === '0.0' && beginnings === 2) void toxiproxy.heal('registry', ['limit_data'])
        if (Number(sent) > 15) killed ??= registry.restart()
      },
    })
    await pushes.close()
    await killed
    expect([beginnings, killed !== null, done.blobs.sent]).toEqual([2, true, 2])
    const { stdout } = await must(craneProgram(), ['digest', '--insecure', done.tagged], {
      env: await signedIn(port),
    })
    expect(stdout.trim()).toBe(done.digest)
  })

  /** What crane and docker sign in with. */
  async function signedIn(port: number): Promise<NodeJS.ProcessEnv> {
    const config = join(folder, `docker-${port}`)
    await mkdir(config, { recursive: true })
    const { user, password } = REGISTRY_CREDENTIALS
    const auth = Buffer.from(`${user}:${password}`).toString('base64')
    await writeFile(
      join(config, 'config.json'),
      JSON.stringify({ auths: { [`127.0.0.1:${port}`]: { auth } } }),
    )
    await chmod(config, 0o700)
    return { ...process.env, DOCKER_CONFIG: config }
  }

  test('[K8S-2.push-real] pushed by the command line: crane finds it whole, Docker pulls it by its sum and runs it as nobody special', async () => {
    const pushed = await kalnet('base', '--registry', `${registry.url}/house`, '--json')
    expect(pushed.code).toBe(0)
    const [item] = JSON.parse(pushed.out).items as { reference: string; tagged: string; digest: string }[]
    const reference = item?.reference ?? ''
    expect(reference).toMatch(/^127\.0\.0\.1:\d+\/house\/base@sha256:[0-9a-f]{64}$/)
    const env = await signedIn(registry.port)
    const crane = async (...args: string[]) =>
      (await must(craneProgram(), ['--insecure', ...args], { env, maxOutputBytes: 8 << 20 })).stdout
    await crane('validate', '--remote', reference)
    expect((await crane('digest', item?.tagged ?? '')).trim()).toBe(item?.digest)
    expect(JSON.parse(await crane('config', reference))).toMatchObject({
      os: 'linux',
      config: { User: '1000:1000', WorkingDir: '/home/user' },
    })
    const docker = (...args: string[]) => must('docker', args, { env, timeoutMs: 100_000 })
    try {
      await docker('pull', '--quiet', reference)
      const hard = ['--network', 'none', '--read-only', '--cap-drop', 'ALL']
      const ran = await docker(
        'run',
        '--rm',
        ...hard,
        reference,
        'sh',
        '-c',
        'id -u; pwd; stat -c %u /bin/dash',
      )
      expect(ran.stdout.split('\n')).toEqual(['1000', '/home/user', '0', ''])
    } finally {
      await run('docker', ['rmi', reference])
    }
    const before = (await registry.requests()).length
    const again = await kalnet('base', '--registry', `${registry.url}/house`)
    expect(again.out).toBe(`${reference}  (there already)\n`)
    const asked = (await registry.requests()).slice(before)
    expect(new Set(asked)).toEqual(new Set([`HEAD /v2/house/base/manifests/${item?.digest}`]))
  })
})
