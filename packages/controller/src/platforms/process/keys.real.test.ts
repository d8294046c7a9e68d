/** Keys reach the program: no chord is kept back by what is around it, but the one that closes a window. */
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instanceSpec } from '@kalnet/contracts/instance'
import { createLog } from '@kalnet/io/log'
import { openScreen, type Screen } from '@kalnet/wire/rfb-screen'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Handle, Platform } from '../platform.ts'
import { isDemanded, missing, recipeChainOf, testImages } from '../testing.ts'
import { createLayout } from './layout.ts'
import { createProcessPlatform } from './process.ts'

const lacks =
  process.getuid?.() === 0
    ? await missing(['bwrap', 'mmdebstrap', 'setpriv', 'ip', 'iptables'])
    : 'root (this is an ordinary user)'

const ALT = 0xffe9
/** X Toolkit's name of the key, its keysym. */
const CHORDS = [
  ['Escape', 0xff1b],
  ['Tab', 0xff09],
  ['space', 0x20],
  ['n', 0x6e],
  ['p', 0x70],
  ['c', 0x63],
  ['d', 0x64],
  ['m', 0x6d],
] as const
const F11 = 0xffc8
const F4 = 0xffc1
/** A program that writes down under a name what it is sent. */
const LISTENER = [
  'xterm',
  '-xrm',
  `XTerm*VT100.translations: #override ${[
    ...CHORDS.map(([name]) => `Alt <Key>${name}: string("[alt-${name}]")`),
    '<Key>F11: string("[f11]")',
  ].join('\\n ')}`,
  '-e',
  'sh',
  '-c',
  'stty raw -echo; printf "[ready]" > "$HOME/heard"; cat >> "$HOME/heard"',
]

if (lacks && !isDemanded) test.skip(`keys in a session: ${lacks} is missing`)
else
  describe('[STR-4.chords] a chord', { timeout: 120_000 }, () => {
    const never = new AbortController().signal
    let home = ''
    let platform: Platform
    let handle: Handle
    let screen: Screen
    const heard = () => readFile(join(homeOf(), 'heard'), 'utf8').catch(() => '')
    let homeOf = () => ''
    const press = (keysym: number, held?: number) => {
      if (held) screen.key(held, true)
      screen.key(keysym, true)
      screen.key(keysym, false)
      if (held) screen.key(held, false)
    }

    beforeAll(async () => {
      home = mkdtempSync(join(tmpdir(), 'kalnet-keys-'))
      const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
      platform = createProcessPlatform({ folders, images: testImages(), log: createLog('keys', 'silent') })
      const instanceId = newId()
      homeOf = () => createLayout(folders).of(instanceId).home
      handle = await platform.ensure(
        {
          instanceId,
          generation: 1,
          organisationId: newId(),
          spec: instanceSpec.parse({
            image: { recipe: recipeChainOf('terminal') },
            command: ['/usr/lib/kalnet/session', ...LISTENER],
            ports: [{ name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } }],
          }),
        },
        never,
        () => undefined,
      )
    }, 600_000)
    afterAll(async () => {
      screen?.close()
      if (handle) await platform.remove(handle)
      rmSync(home, { recursive: true, force: true })
    })

    test('begins when the program listens', async () => {
      await expect.poll(heard, { timeout: 30_000 }).toBe('[ready]')
      const stream = await platform.dial(handle, 'display', AbortSignal.timeout(10_000))
      screen = await openScreen(stream, { signal: AbortSignal.timeout(100_000) })
    })
    test.each(CHORDS)('Alt and %s reach the program', async (name, keysym) => {
      press(keysym, ALT)
      await expect.poll(heard, { timeout: 10_000 }).toContain(`[alt-${name}]`)
    })
    test('F11 reaches it', async () => {
      press(F11)
      await expect.poll(heard, { timeout: 10_000 }).toContain('[f11]')
    })
    test('Alt and F4 close its window', async () => {
      press(F4, ALT)
      await expect
        .poll(async () => (await platform.observe(handle))?.state, { timeout: 20_000 })
        .not.toBe('running')
    })
  })
