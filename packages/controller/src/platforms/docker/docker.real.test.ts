/** The docker platform on the real engine of this machine: the conformance suite, and an engine that goes away and comes back. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type InstanceSpecInput, instanceSpec } from '@kalnet/contracts/instance'
import type { Folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import Docker from 'dockerode'
import { v7 as newId } from 'uuid'
import { describe, expect, test } from 'vitest'
import { referenceOf } from '../../images/described.ts'
import { describePlatform } from '../conformance.ts'
import { isDemanded, missing, openOutside, recipeChainOf, testImages } from '../testing.ts'
import { createDockerPlatform } from './docker.ts'
import { purgeDocker } from './purge.ts'

const ENGINE = '/var/run/docker.sock'
const answers = await new Docker({ socketPath: ENGINE, timeout: 5_000 }).ping().then(
  () => true,
  () => false,
)
const tool = await missing(['mmdebstrap', 'flock'])
const lacks = answers ? tool : 'a Docker engine that answers'
const isRoot = process.getuid?.() === 0
const log = createLog('docker', 'silent')
const chain = recipeChainOf('terminal')

function freshFolders(): { home: string; folders: Folders } {
  const home = mkdtempSync(join(tmpdir(), 'kalnet-docker-'))
  return {
    home,
    folders: { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') },
  }
}

/** A way to the engine that can be cut, so that no other test loses the engine itself. */
async function cuttable(path: string) {
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(ENGINE)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      socket.on('error', () => socket.destroy())
    }
    near.pipe(far).pipe(near)
  })
  const listen = () => new Promise<void>((resolve) => server.listen(path, resolve))
  await listen()
  return {
    listen,
    cut: () =>
      new Promise<void>((resolve) => {
        for (const socket of open) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

if (lacks && !isDemanded) test.skip(`the docker platform: ${lacks} is missing`)
else {
  describePlatform('docker', {
    isReal: true,
    image: { recipe: chain },
    async open() {
      const { home, folders } = freshFolders()
      const images = testImages()
      const outside = isRoot ? await openOutside() : null
      const platform = createDockerPlatform({ folders, images, log })
      // The image is built and handed over before any test's time runs.
      const request = { instanceId: newId(), generation: 1, organisationId: newId() }
      const spec = instanceSpec.parse({ image: { recipe: chain }, command: ['true'] })
      const first = await platform.ensure({ ...request, spec }, new AbortController().signal, () => undefined)
      await platform.remove(first)
      return {
        platform,
        again: async () => createDockerPlatform({ folders, images, log }),
        async close() {
          await purgeDocker({ folders, keepImages: true })
          await outside?.close()
          rmSync(home, { recursive: true, force: true })
        },
        limits: true,
        network: isRoot,
        local: isRoot ? 'address' : 'none',
        exec: true,
        outside,
      }
    },
  })

  describe('the docker platform and its engine', () => {
    const never = new AbortController().signal

    test('[CTL-4.engine-returns] an engine that goes and comes back is noticed, and what ended meanwhile is told', async () => {
      const { home, folders } = freshFolders()
      const path = join(home, 'engine.sock')
      const way = await cuttable(path)
      const platform = createDockerPlatform({ folders, images: testImages(), log, socketPath: path })
      const direct = createDockerPlatform({ folders, images: testImages(), log })
      const spec = instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', '1000'] })
      const request = { instanceId: newId(), generation: 1, organisationId: newId(), spec }
      const handle = await platform.ensure(request, never, () => undefined)
      const stop = new AbortController()
      const usable: boolean[] = []
      const noticed: string[] = []
      const watching = [
        (async () => {
          for await (const it of platform.fingerprint(stop.signal)) usable.push(it.usable)
        })(),
        (async () => {
          for await (const it of platform.changes(stop.signal)) noticed.push(it.instanceId)
        })(),
      ]
      const wait = { timeout: 20_000, interval: 50 }
      await expect.poll(() => usable.at(-1), wait).toBe(true)
      await way.cut()
      await expect.poll(() => usable.at(-1), wait).toBe(false)
      await expect(platform.observe(handle)).rejects.toThrow()
      await direct.stop(handle, 0)
      noticed.length = 0
      await way.listen()
      await expect.poll(() => usable.at(-1), wait).toBe(true)
      await expect.poll(() => noticed, wait).toContain(handle.instanceId)
      expect(await platform.observe(handle)).toMatchObject({ state: 'ended', code: 137 })
      stop.abort()
      await Promise.all(watching)
      await platform.remove(handle)
      await way.cut()
      await purgeDocker({ folders, keepImages: true })
      rmSync(home, { recursive: true, force: true })
    })

    test('[TPL-4.docker-image] the image shares its layers, is not root, and has a health check that passes', async () => {
      const { home, folders } = freshFolders()
      const platform = createDockerPlatform({ folders, images: testImages(), log })
      const spec = instanceSpec.parse({
        image: { recipe: chain },
        command: ['/usr/lib/kalnet/session', 'xterm'],
        ports: [{ name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } }],
      })
      const request = { instanceId: newId(), generation: 1, organisationId: newId(), spec }
      const handle = await platform.ensure(request, never, () => undefined)
      const client = new Docker({ socketPath: ENGINE })
      const image = await client.getImage(referenceOf(chain)).inspect()
      expect(image.Config.User).toBe('1000:1000')
      expect(image.Config.Healthcheck?.Test).toEqual(['CMD', '/usr/lib/kalnet/healthy'])
      expect(image.RootFS.Layers).toHaveLength(chain.length)
      expect(image.Size).toBeLessThan(250 * 10 ** 6)
      const container = client.getContainer(String(handle.data.container))
      await expect
        .poll(
          async () => {
            const how = { Cmd: ['/usr/lib/kalnet/healthy'], AttachStdout: true, AttachStderr: true }
            const exec = await container.exec(how)
            const printed = await exec.start({})
            await once(printed.resume(), 'end')
            return (await exec.inspect()).ExitCode
          },
          { timeout: 15_000, interval: 200 },
        )
        .toBe(0)
      const { HostConfig } = await container.inspect()
      expect(HostConfig.ReadonlyRootfs).toBe(true)
      expect(HostConfig.CapDrop).toEqual(['ALL'])
      expect(HostConfig.NetworkMode).toBe('none')
      await platform.remove(handle)
      await purgeDocker({ folders, keepImages: true })
      rmSync(home, { recursive: true, force: true })
    })

    test("[CTL-6.docker-reference] somebody else's image begins what it says itself, and its own health check is told", async () => {
      const { home, folders } = freshFolders()
      const platform = createDockerPlatform({ folders, images: testImages(), log })
      const client = new Docker({ socketPath: ENGINE })
      const ensure = (changes: InstanceSpecInput) => {
        const request = { instanceId: newId(), generation: 1, organisationId: newId() }
        return platform.ensure({ ...request, spec: instanceSpec.parse(changes) }, never, () => undefined)
      }
      const ours = await ensure({ image: { recipe: chain }, command: ['sleep', '1000'] })
      const name = `somebody/else-${process.pid}`
      await client.getContainer(String(ours.data.container)).commit({
        repo: name,
        tag: '1',
        changes: [
          'ENTRYPOINT ["bash", "-c"]',
          'CMD ["echo its own; sleep 1000"]',
          'HEALTHCHECK --interval=1s CMD echo well',
        ].join('\n'),
      })
      try {
        expect(await platform.healthOf?.(ours)).not.toMatchObject({ detail: 'well' })
        const theirs = await ensure({ image: { reference: `${name}:1` }, command: [] })
        const wait = { timeout: 15_000, interval: 100 }
        await expect.poll(() => platform.logs(theirs, 5), wait).toEqual(['its own'])
        await expect
          .poll(() => platform.healthOf?.(theirs), wait)
          .toEqual({ state: 'healthy', detail: 'well' })
        await platform.remove(theirs)
        const told = await ensure({ image: { reference: `${name}:1` }, command: ['echo', 'ours'] })
        await expect.poll(() => platform.logs(told, 5), wait).toEqual(['ours'])
        await platform.remove(told)
        await platform.remove(ours)
      } finally {
        await purgeDocker({ folders, keepImages: true })
        await client.getImage(`${name}:1`).remove()
        rmSync(home, { recursive: true, force: true })
      }
    })
  })
}
