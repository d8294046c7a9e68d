/** A controller as a process of its own with real sandboxes: killed, started again, and what it ran killed by hand. */
import type { ChildProcess } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DesiredInstance, instanceSpec } from '@kalnet/contracts/instance'
import { createLog } from '@kalnet/io/log'
import { must, start } from '@kalnet/io/spawn'
import { v7 as newId } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProcessPlatform } from './platforms/process/process.ts'
import { isDemanded, missing, recipeChainOf, testCache, testImages } from './platforms/testing.ts'
import { CONTROLLER, type ControlPlane, createControlPlane } from './testing-plane.ts'

const lacks =
  process.getuid?.() === 0
    ? await missing(['bwrap', 'mmdebstrap', 'setpriv', 'ip', 'iptables'])
    : 'root (this is an ordinary user)'
const wait = { timeout: 30_000, interval: 20 }
const RUN = fileURLToPath(new URL('./testing-run.ts', import.meta.url))

const spawnController = (home: string, url: string): ChildProcess =>
  start(process.execPath, [RUN, url, 'right', 'process'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { PATH: process.env.PATH, KALNET_HOME: home },
  })

async function ends(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await ended
}

function fill(path: string) {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4096))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}

/** Numbers of the processes whose command line contains the words. */
const processes = (words: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').startsWith(words)
      } catch {
        // It ended while we looked.
        return false
      }
    })
    .map(Number)

describe.skipIf(lacks !== null && !isDemanded)(
  `a controller with real sandboxes (needs ${lacks ?? 'nothing more'})`,
  () => {
    let home: string
    let plane: ControlPlane
    let child: ChildProcess
    let desired: DesiredInstance
    const mark = () => `35${process.pid}`
    const folders = () => ({
      data: join(home, 'data'),
      runtime: join(home, 'run'),
      config: join(home, 'config'),
    })
    const observed = () => plane.told('observed').findLast((it) => it.instance.id === desired.id)?.instance
    const inventories = () => plane.told('inventory')

    beforeEach(async () => {
      const chain = recipeChainOf('terminal')
      await testImages().ensureRoot(chain, new AbortController().signal, () => undefined)
      home = mkdtempSync(join(tmpdir(), 'kalnet-real-'))
      mkdirSync(join(home, 'data'))
      // A disk of its own, small enough to be filled.
      await must('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'kalnet-test', join(home, 'data')])
      symlinkSync(join(testCache, 'images'), join(home, 'data', 'images'))
      plane = await createControlPlane()
      desired = {
        id: newId(),
        generation: 1,
        organisationId: CONTROLLER,
        platform: 'process',
        state: 'running',
        spec: instanceSpec.parse({
          image: { recipe: chain },
          command: ['/usr/lib/kalnet/session', 'sleep', mark()],
          ports: [{ name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } }],
          ready: { port: 'display' },
          network: 'internet',
        }),
      }
      child = spawnController(home, plane.url())
      await expect.poll(() => inventories().length, wait).toBe(1)
      plane.send({ type: 'desired.all', instances: [desired] })
      await expect.poll(() => observed()?.state, wait).toBe('running')
      // The screen answers a moment before the program on it runs.
      await expect.poll(() => processes(`sleep ${mark()}`).length, wait).toBe(1)
    }, 600_000)
    afterEach(async () => {
      await ends(child, 'SIGKILL')
      const platform = createProcessPlatform({
        folders: folders(),
        images: testImages(),
        log: createLog('test', 'silent'),
      })
      for (const handle of await platform.list()) await platform.remove(handle)
      await plane.close()
      await must('umount', ['--lazy', folders().data])
      rmSync(home, { recursive: true, force: true })
    })

    test('[CTL-4.kill-9] killed and started again it adopts: nothing was stopped, the display answers on', async () => {
      const before = processes(`sleep ${mark()}`)
      expect(before).toHaveLength(1)
      await ends(child, 'SIGKILL')
      expect(processes(`sleep ${mark()}`)).toEqual(before)
      child = spawnController(home, plane.url())
      await expect.poll(() => inventories().length, wait).toBe(2)
      expect(inventories()[1]?.instances).toMatchObject([{ id: desired.id, generation: 1, state: 'running' }])
      plane.send({ type: 'desired.all', instances: [desired] })
      expect(processes(`sleep ${mark()}`)).toEqual(before)
      const token = 'a-token-of-at-least-twenty-letters'
      plane.send({ type: 'stream.open', streamId: newId(), instanceId: desired.id, port: 'display', token })
      await expect.poll(() => plane.dialled.length, wait).toBe(1)
      const banner = await new Promise((resolve) =>
        plane.dialled[0]?.stream.once('data', (it) => resolve(String(it))),
      )
      expect(banner).toMatch(/^RFB 003\.008\n/)
    })

    test('[SES-1.killed-by-hand] its tree killed by hand is told as failed in words and not started again', async () => {
      const [pid] = processes(`sleep ${mark()}`)
      if (pid) process.kill(pid, 'SIGKILL')
      await expect.poll(() => observed()?.state, wait).toBe('failed')
      expect(observed()?.reason).toBe('It was killed from outside (signal 9)')
      plane.send({ type: 'desired.all', instances: [desired] })
      plane.send({ type: 'desired', instance: desired })
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(processes(`sleep ${mark()}`)).toEqual([])
    })

    test('[CTL-4.reap-real] what the control plane no longer has is taken away, leaving nothing', async () => {
      plane.send({ type: 'desired.all', instances: [] })
      await expect.poll(() => processes(`sleep ${mark()}`), wait).toEqual([])
      await expect.poll(() => readdirSync(join(folders().data, 'instances')), wait).toEqual([])
    })

    test('[CTL-3.disk-full] a full disk is said in words, and with room again the next one starts', async () => {
      const data = folders().data
      const filler = join(data, 'filler')
      const next = (generation: number) =>
        plane.send({ type: 'desired', instance: { ...desired, id: second, generation } })
      const second = newId()
      const state = () => plane.told('observed').findLast((it) => it.instance.id === second)?.instance
      fill(filler)
      next(1)
      await expect.poll(() => state()?.state, wait).toBe('failed')
      expect(state()?.reason).toBe('It could not be started: the disk that holds the data is full')
      expect(observed()?.state).toBe('running')
      rmSync(filler)
      next(2)
      await expect.poll(() => state()?.state, wait).toBe('running')
    })

    test('[SES-1.screen] the picture of its screen is read', async () => {
      const requestId = newId()
      plane.send({ type: 'screen.read', requestId, instanceId: desired.id, port: 'display', maxWidth: 320 })
      await expect.poll(() => plane.told('screen').length, wait).toBe(1)
      const png = Buffer.from(plane.told('screen')[0]?.png ?? '', 'base64')
      expect(png.subarray(1, 4).toString()).toBe('PNG')
    })

    test('[SES-1.stages] the times of each stage are told', () => {
      const times = observed()?.times ?? {}
      const at = (name: keyof typeof times) => Date.parse(times[name] ?? '')
      expect(at('received')).toBeLessThanOrEqual(at('prepared'))
      expect(at('prepared')).toBeLessThanOrEqual(at('created'))
      expect(at('created')).toBeLessThanOrEqual(at('ready'))
      console.info(
        `received → created ${at('created') - at('received')} ms, created → ready ${at('ready') - at('created')} ms`,
      )
    })
  },
)
