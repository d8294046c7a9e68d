/** The process platform as root: real sandboxes on a real root file system. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instanceSpec } from '@kalnet/contracts/instance'
import type { Folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import { must } from '@kalnet/io/spawn'
import { expect, test } from 'vitest'
import { describePlatform } from '../conformance.ts'
import { isDemanded, missing, openOutside, recipeChainOf, testImages } from '../testing.ts'
import { createLayout } from './layout.ts'
import { createProcessPlatform } from './process.ts'
import { readState, writeState } from './state.ts'

const lacks =
  process.getuid?.() === 0
    ? await missing(['bwrap', 'mmdebstrap', 'setpriv', 'ip', 'iptables'])
    : 'root (this is an ordinary user)'

/** Namespaces, devices, rules and groups of this installation. */
async function nothingIsLeft(installation: string) {
  const all = await Promise.all([
    must('ip', ['netns', 'list']),
    must('ip', ['link', 'show']),
    must('iptables', ['-S']),
    must('iptables', ['-t', 'nat', '-S']),
  ])
  const text = all.map((it) => it.stdout).join('\n')
  expect(text).not.toMatch(
    new RegExp(`kalnet-${installation}|kn${installation}|KALNET-\\w+-${installation}`, 'i'),
  )
  for (const hierarchy of ['memory', 'cpu', 'pids', '']) {
    const groups = join('/sys/fs/cgroup', hierarchy, 'kalnet')
    if (!existsSync(groups)) continue
    expect(readdirSync(groups).filter((it) => it.startsWith(`kalnet-${installation}`))).toEqual([])
  }
}

const never = new AbortController().signal

if (lacks && !isDemanded) test.skip(`the process platform as root: ${lacks} is missing`)
else {
  const chain = recipeChainOf('terminal')
  describePlatform('process (root)', {
    isReal: true,
    image: { recipe: chain },
    async open() {
      // 0700 and owned by root, as in real life: the sessions' own users cannot walk through it.
      const home = mkdtempSync(join(tmpdir(), 'kalnet-process-'))
      const folders: Folders = {
        data: join(home, 'data'),
        runtime: join(home, 'run'),
        config: join(home, 'config'),
      }
      const images = testImages()
      await images.ensureRoot(chain, new AbortController().signal, () => undefined)
      const log = createLog('process', 'warn')
      const outside = await openOutside()
      const platform = createProcessPlatform({ folders, images, log })
      return {
        platform,
        again: async () => createProcessPlatform({ folders, images, log }),
        async close() {
          for (const handle of await platform.list()) await platform.remove(handle)
          await outside.close()
          await nothingIsLeft(createLayout(folders).installation)
          rmSync(home, { recursive: true, force: true })
        },
        limits: true,
        network: true,
        local: 'address',
        exec: true,
        outside,
      }
    },
  })

  test('[CTL-6.filter-mended] a firewall loaded anew while nothing restarts: the filter is set again, each part of it', async () => {
    const home = mkdtempSync(join(tmpdir(), 'kalnet-process-'))
    const folders: Folders = {
      data: join(home, 'data'),
      runtime: join(home, 'run'),
      config: join(home, 'config'),
    }
    const log = createLog('process', 'silent')
    const platform = createProcessPlatform({ folders, images: testImages(), log, filterEveryMs: 200 })
    const spec = instanceSpec.parse({
      image: { recipe: chain },
      command: ['sleep', '1000'],
      network: 'local',
    })
    const id = '01890000-0000-7000-8000-0000000000cd'
    const request = { instanceId: id, generation: 1, organisationId: id, spec }
    const handle = await platform.ensure(request, never, () => undefined)
    const name = createLayout(folders).installation.toUpperCase()
    const rules = async () => {
      const all = await Promise.all(
        ['filter', 'nat'].map((table) => must('iptables', ['-w', '10', '-t', table, '-S'])),
      )
      const lines = all.flatMap((it) => it.stdout.split('\n'))
      // Where a jump stands among those of others does not matter, nor in how many networks the machine is at the moment.
      return lines.filter((line) => line.includes(`-${name}`) && !/ -d /.test(line)).sort()
    }
    const stop = new AbortController()
    const changes = platform.changes(stop.signal)
    try {
      const before = await rules()
      expect(before.length).toBeGreaterThan(10)
      const jumps = before.filter((it) => /^-A (INPUT|FORWARD|POSTROUTING) /.test(it))
      const losses = [
        ...jumps.map((it) => [
          `-t ${it.includes('POSTROUTING') ? 'nat' : 'filter'} ${it.replace('-A', '-D')}`,
        ]),
        [`-F KALNET-FWD-${name}`],
        [`-F KALNET-IN-${name}`],
        [`-t nat -F KALNET-NAT-${name}`],
      ]
      for (const steps of losses) {
        for (const step of steps) await must('iptables', ['-w', '10', ...step.split(' ')])
        await expect.poll(rules, { timeout: 15_000, interval: 100 }).toEqual(before)
      }
    } finally {
      stop.abort()
      for await (const _ of changes);
      await platform.remove(handle)
      rmSync(home, { recursive: true, force: true })
    }
    expect(await rules()).toEqual([])
  }, 60_000)

  const crashes = [
    {
      name: 'between the start and the note, it is adopted and not started again',
      break: { phase: 'starting', outer: null, inner: null } as const,
      seen: { state: 'running' },
    },
    {
      name: 'of the whole machine, it is told so',
      break: { bootId: 'another' },
      seen: { state: 'ended', reason: 'The machine was restarted' },
    },
  ]
  test.each(crashes)('[CTL-4.crash] after a crash $name', async ({ break: changes, seen }) => {
    const home = mkdtempSync(join(tmpdir(), 'kalnet-process-'))
    const folders: Folders = {
      data: join(home, 'data'),
      runtime: join(home, 'run'),
      config: join(home, 'config'),
    }
    const open = () =>
      createProcessPlatform({ folders, images: testImages(), log: createLog('process', 'warn') })
    const instanceId = '01890000-0000-7000-8000-0000000000cc'
    const mark = `34${process.pid}`
    const spec = instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', mark] })
    const request = { instanceId, generation: 1, organisationId: instanceId, spec }
    try {
      const handle = await open().ensure(request, never, () => undefined)
      const layout = createLayout(folders)
      const state = await readState(layout, instanceId)
      if (!state) throw new Error('there is no state')
      await writeState(layout, { ...state, ...changes })
      const next = open()
      expect(await next.observe(handle)).toMatchObject(seen)
      expect(await next.ensure(request, never, () => undefined)).toMatchObject({ instanceId, generation: 1 })
      const running = await must('pgrep', ['-c', '-x', '-f', `sleep ${mark}`])
      expect(running.stdout.trim()).toBe('1')
    } finally {
      const layout = createLayout(folders)
      const state = await readState(layout, instanceId)
      // As it was before the crash was played, so that it is found and ended.
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      if (state)
        await writeState(layout, {
          ...state,
          bootId: boot,
          phase: state.outer ? 'started' : state.phase,
          ended: null,
        })
      const last = open()
      for (const handle of await last.list()) await last.remove(handle)
      rmSync(home, { recursive: true, force: true })
    }
  })
}
