/** The whole supervisor with the real database, server and controller: up twice, every part killed, down, purge. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { systemClock } from '@kalnet/io/clock'
import { type RunResult, run } from '@kalnet/io/spawn'
import { freePort } from '@kalnet/io/testing/free-port'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NO_HOME, temporaryHome } from '../testing.ts'
import { ourselves } from '../tree.ts'
import type { SupervisorStatus } from './state.ts'

let it = NO_HOME
let port = 0
const cli = (...args: string[]): Promise<RunResult> => {
  const [command, words] = ourselves(...args)
  return run(command, words, { env: { ...process.env, KALNET_HOME: it.home }, timeoutMs: 120_000 })
}
const up = (...more: string[]) => cli('up', '--as-is', '--no-dashboard', '--port', String(port), ...more)
const status = async () => JSON.parse((await cli('status', '--json')).stdout) as SupervisorStatus
const part = (from: SupervisorStatus, name: string) => {
  const found = from.parts.find((one) => one.name === name)
  if (!found) throw new Error(`no part ${name}`)
  return found
}
/** A limit of waiting, not a figure. */
async function until(what: (now: SupervisorStatus) => boolean): Promise<SupervisorStatus> {
  const end = Date.now() + 30_000
  for (;;) {
    const now = await status()
    if (what(now)) return now
    if (Date.now() > end) throw new Error(`not within 30 s: ${JSON.stringify(now.parts)}`)
    await systemClock.sleep(50)
  }
}

beforeAll(async () => {
  it = await temporaryHome()
  port = await freePort()
})
afterAll(async () => {
  await cli('down', '--purge', '--yes')
  await it.remove()
})

describe('the supervisor', () => {
  test('[CTL-1.up] up starts everything and prints the claim link; a second up starts nothing twice', async () => {
    // Two at the same moment: one supervisor, and both tell the address.
    const [first, rival] = await Promise.all([up(), up()])
    expect([first.code, rival.code], first.stderr + rival.stderr).toEqual([0, 0])
    expect(first.stderr + first.stdout).toContain(`http://127.0.0.1:${port}/claim#`)
    expect(first.code).toBe(0)
    const before = await status()
    expect(before.phase).toBe('ready')
    const second = await up('--json')
    expect(JSON.parse(second.stdout)).toMatchObject({ pid: before.pid, url: `http://127.0.0.1:${port}` })
    expect((await status()).parts.map((one) => one.pid)).toEqual(before.parts.map((one) => one.pid))
  })

  test('what keeps it from starting is said at once, in words', async () => {
    const other = await temporaryHome()
    // Something lies where its socket belongs.
    await mkdir(`${other.home}/run/supervisor.sock`, { recursive: true })
    const [command, words] = ourselves('up', '--as-is', '--no-dashboard', '--port', String(port + 1))
    const result = await run(command, words, { env: { ...process.env, KALNET_HOME: other.home } })
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/supervisor\.sock[\s\S]*→ /)
    await other.remove()
  })

  test.each(['server', 'database', 'controller'])(
    '[CTL-1.supervised] kill -9 of the %s: started again',
    async (name) => {
      const before = part(await status(), name)
      process.kill(before.pid ?? 0, 'SIGKILL')
      const after = await until(
        (now) => part(now, name).restarts > before.restarts && part(now, name).state === 'running',
      )
      expect(part(after, name).pid).not.toBe(before.pid)
      expect(part(after, name).problem).toContain('SIGKILL')
      // The control plane answers again: nothing was lost with it.
      const end = Date.now() + 30_000
      while ((await cli('templates')).code !== 0)
        if (Date.now() > end) throw new Error('the control plane stays away')
    },
  )

  test('[CTL-1.supervised] kill -9 of the supervisor: its children end, the next up takes over cleanly', async () => {
    const before = await status()
    process.kill(before.pid, 'SIGKILL')
    expect((await cli('status')).code).toBe(3)
    const again = await up()
    expect(again.stderr + again.stdout).toContain('/claim#')
    const after = await status()
    expect(after.phase).toBe('ready')
    expect(after.pid).not.toBe(before.pid)
  })

  test('down stops everything; up --lan comes back over https with the authority of its own', async () => {
    const before = await status()
    expect((await cli('down')).code).toBe(0)
    expect((await cli('status')).code).toBe(3)
    for (const one of before.parts) expect(existsSync(`/proc/${one.pid}`), one.name).toBe(false)
    const lan = await up('--lan', '--json')
    const told = JSON.parse(lan.stdout) as { url: string; claim: string; fingerprint: string }
    expect(told.url).toMatch(new RegExp(`^https://.*:${port}$`))
    expect(told.claim.startsWith(told.url)).toBe(true)
    expect(told.fingerprint).toMatch(/^([0-9A-F]{2}:){31}/)
    expect(part(await status(), 'controller').state).toBe('running')
  })

  test('down --purge asks, names what is lost, and takes everything away', async () => {
    const asked = await cli('down', '--purge')
    expect(asked.code).toBe(4)
    expect(asked.stderr).toMatch(/lost for ever[\s\S]*\/data {2}\d/)
    expect(existsSync(`${it.home}/data`)).toBe(true)
    expect((await cli('down', '--purge', '--yes')).code).toBe(0)
    for (const name of ['data', 'run', 'config']) expect(existsSync(`${it.home}/${name}`), name).toBe(false)
  })
})
