/** Against a real TigerVNC: what is drawn is what is read, what is typed arrives. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { grabScreen, openScreen, readScreen, typeText } from './rfb-screen.ts'

const there = ['/usr/bin/Xvnc', '/usr/bin/Xtigervnc'].find((path) => existsSync(path))
if (!there && process.env.KALNET_PEERS === 'all')
  throw new Error('Xvnc (tigervnc-standalone-server) is not installed')
const terminal = '/usr/bin/xterm'
const terminalThere = existsSync(terminal)
if (!terminalThere && process.env.KALNET_PEERS === 'all') throw new Error('xterm is not installed')
const reason = there ? '' : ' (skipped: Xvnc is not installed)'
const signal = new AbortController().signal

describe.skipIf(!there)(`rfb-screen against Xvnc${reason}`, () => {
  let folder = ''
  let socket = ''
  let display = ''
  let server: ReturnType<typeof start> | null = null
  const dial = () => connect(socket)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kalnet-screen-'))
    socket = join(folder, 'display.sock')
    const options = [
      '-rfbport',
      '-1',
      '-rfbunixpath',
      socket,
      '-rfbunixmode',
      '384',
      '-SecurityTypes',
      'None',
    ]
    const args = ['-displayfd', '3', ...options, '-geometry', '640x480', '-depth', '24', '-AlwaysShared']
    server = start(there ?? '', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('Xvnc was not ready within 10 s')), 10_000)
      server?.stdio[3]?.once('data', (number: Buffer) => {
        clearTimeout(late)
        display = `:${number.toString().trim()}`
        resolve()
      })
      server?.once('exit', () => reject(new Error('Xvnc ended')))
    })
  })
  afterAll(async () => {
    const ended = new Promise((resolve) => server?.once('exit', resolve))
    server?.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  })

  it('[STR-4.screen] reads the whole picture of a real display', async () => {
    const picture = await grabScreen(dial(), { signal })
    expect(picture).toMatchObject({ width: 640, height: 480 })
    expect(picture.pixels).toHaveLength(640 * 480 * 4)
  })

  it('[STR-4.screen] gives a small PNG', async () => {
    const png = await readScreen(dial(), { maxWidth: 320, signal })
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([320, 240])
  })

  it('[STR-4.screen] moves the pointer and types without upsetting the display', async () => {
    const screen = await openScreen(dial(), { signal })
    expect(screen.name.length).toBeGreaterThan(0)
    screen.pointer(100, 100, 0)
    typeText(screen, 'echo hällo €\n')
    const picture = await screen.grab()
    expect(picture.width).toBe(640)
    screen.close()
  })

  const noTerminal = terminalThere ? '' : ' (skipped: xterm is not installed)'
  it.skipIf(noTerminal)(
    `[STR-4.screen] what is typed arrives, and the picture changes${noTerminal}`,
    async () => {
      const written = join(folder, 'written')
      const wait = 'IFS= read -r line; printf %s "$line" > "$1"'
      const options = [
        '-display',
        display,
        '-u8',
        '-geometry',
        '60x10',
        '-e',
        'sh',
        '-c',
        wait,
        'sh',
        written,
      ]
      const xterm = start(terminal, options, { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C.UTF-8' } })
      const ended = new Promise((resolve) => xterm.once('exit', resolve))
      const screen = await openScreen(dial(), { signal })
      const before = await screen.grab()
      let now = before
      const end = Date.now() + 10_000
      while (now.pixels.equals(before.pixels) && Date.now() < end) now = await screen.grab()
      expect(now.pixels.equals(before.pixels)).toBe(false)
      // Without a window manager the keys go where the pointer is.
      screen.pointer(50, 50, 0)
      typeText(screen, 'Hello, kalnet: ~/ä €\n')
      await ended
      screen.close()
      expect(await readFile(written, 'utf8')).toBe('Hello, kalnet: ~/ä €')
    },
  )
})
