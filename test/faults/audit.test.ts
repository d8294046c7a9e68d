/** Two control planes on one database, killed again and again between a change and its seal: one chain, whole, with every change in it. */
import type { ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { identityRoutes } from '@kalnet/contracts/identity'
import { createLog } from '@kalnet/io/log'
import { start } from '@kalnet/io/spawn'
import { createStore, type Store, sql } from '@kalnet/server/core/store'
import { testDatabase } from '@kalnet/server/core/testing'
import { askAt, freePort } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'

const PROGRAM = fileURLToPath(new URL('audit/server.ts', import.meta.url))
const ROUNDS = 6

describe('[GOV-1.killed] the audit under kills', () => {
  let home: string
  let database: Awaited<ReturnType<typeof testDatabase>>
  let store: Store
  let ports: number[]
  let cookie = ''
  const running = new Map<number, ChildProcess>()
  /** Names that were acknowledged, in order. */
  const acknowledged: string[] = []

  async function begin(port: number): Promise<void> {
    const child = start(process.execPath, [PROGRAM, String(port), database.url, home], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running.set(port, child)
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (said) => String(said).includes('ready') && resolve())
      child.once('exit', (code, signal) => reject(new Error(`ended: ${code ?? signal}`)))
    })
  }
  async function kill(port: number): Promise<void> {
    const child = running.get(port)
    running.delete(port)
    if (!child?.pid) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    process.kill(child.pid, 'SIGKILL')
    await gone
  }
  const ask = (port: number, method: string, path: string, body?: unknown) =>
    askAt({ port }, method, path, { body, headers: { cookie, origin: `http://127.0.0.1:${port}` } })
  const rename = async (port: number, name: string) => {
    const answer = await ask(port, 'PATCH', identityRoutes.changeMe.path, { name }).catch(() => null)
    if (answer?.status === 200) acknowledged.push(name)
    return answer?.status ?? 0
  }
  const local = (port: number, method: string, path: string) =>
    askAt({ socketPath: join(home, `run-${port}/control.sock`) }, method, path, {
      body: method === 'GET' ? undefined : {},
    })

  beforeAll(async () => {
    home = await mkdtemp('/tmp/kn-a-')
    for (const folder of ['data', 'config']) await mkdir(join(home, folder))
    database = await testDatabase({ migrated: false })
    ports = [await freePort(), await freePort()]
    await begin(ports[0] ?? 0)
    await begin(ports[1] ?? 0)
    store = await createStore({ url: database.url, log: createLog('test', 'silent'), connections: 2 })
    const made = (await local(ports[0] ?? 0, 'POST', '/api/local/claim-link')).body as {
      link?: { url: string }
    }
    const token = made.link?.url.split('#')[1]
    const claimed = await ask(ports[0] ?? 0, 'POST', '/api/claim', {
      token,
      name: 'Ada',
      email: 'ada@example.org',
      password: 'a lantern by the river',
      organisationName: 'Home',
    })
    expect(claimed.status, claimed.text).toBe(200)
    cookie = String(claimed.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
  }, 120_000)
  afterAll(async () => {
    for (const port of running.keys()) await kill(port)
    await store?.close()
    await database?.drop()
    await rm(home, { recursive: true, force: true })
  })

  it('of two that seal and are killed in turn: no fork, no gap, every acknowledged change once, in (xid, seq) order', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const victim = ports[round % 2] ?? 0
      const other = ports[(round + 1) % 2] ?? 0
      const stop = { now: false }
      const writing = ports.map(async (port, at) => {
        for (let count = 0; !stop.now; count++) await rename(port, `n-${round}-${at}-${count}`)
      })
      // Long enough for several batches; the kill comes at no particular moment of them.
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 400))
      await kill(victim)
      stop.now = true
      await Promise.all(writing)
      expect(await rename(other, `lives-${round}`)).toBe(200)
      await begin(victim)
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS * 2)
    const survivor = ports[0] ?? 0
    const counted = async () =>
      (
        await store.system.read((tx) =>
          sql<{ rows: number; seals: number; done: number }>`select
            (select count(*)::int from audit) as rows, (select count(*)::int from audit_seals) as seals,
            (select count(*)::int from audit where action = 'user.changed' and outcome = 'done') as done`.execute(
            tx,
          ),
        )
      ).rows[0]
    await eventually(
      'everything is sealed',
      async () => {
        const now = await counted()
        return now !== undefined && now.rows === now.seals
      },
      15_000,
    )
    const checked = (await local(survivor, 'POST', '/api/local/audit/verify')).body as {
      items: { break: unknown; rows: number; segments: number }[]
    }
    expect(checked.items.filter((it) => it.break !== null)).toEqual([])
    expect(checked.items.reduce((sum, it) => sum + it.rows, 0)).toBeGreaterThan(acknowledged.length)
    // A change that was cut off may be there unacknowledged; none that was acknowledged is missing.
    expect((await counted())?.done).toBeGreaterThanOrEqual(acknowledged.length)
    const { rows } = await store.system.read((tx) =>
      sql<{ epoch: string; wrong: number }>`select epoch, (select count(*)::int from (
          select xid, seq, lag(xid) over chain as last_xid, lag(seq) over chain as last_seq
          from audit_seals window chain as (partition by organisation_id order by position)
        ) as ordered where (xid, seq) < (last_xid, last_seq)) as wrong from audit_sealer`.execute(tx),
    )
    expect(rows[0]?.wrong).toBe(0)
    expect(Number(rows[0]?.epoch)).toBeGreaterThan(1)
    console.log(
      `${acknowledged.length} acknowledged changes, ${ROUNDS} kills, lease taken ${rows[0]?.epoch} times`,
    )
  }, 180_000)

  it('[SEC-3.rotation] the master key is changed while both run; the one that did it, and the next start, open everything', async () => {
    const [one = 0, two = 0] = ports
    const before = await readFile(join(home, 'config/master.key'), 'utf8')
    expect((await local(one, 'POST', '/api/local/secrets/rotate')).status).toBe(200)
    expect(await readFile(join(home, 'config/master.key'), 'utf8')).not.toBe(before)
    await kill(two)
    await begin(two)
    for (const port of ports) {
      const answer = await local(port, 'POST', '/api/local/audit/verify')
      expect(answer.status, answer.text).toBe(200)
      expect((answer.body.items as { break: unknown }[]).every((it) => it.break === null)).toBe(true)
    }
  }, 60_000)
})
