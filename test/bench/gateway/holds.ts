/** In the bench: what the gateway's policies hold while somebody asks without a pause. */
import { request } from 'node:http'
import { systemClock } from '@kalnet/io/clock'
import { createBreaker } from '@kalnet/server/gateway/engine/policies/breaker'
import { compileTable } from '@kalnet/server/gateway/engine/table'
import { routeOf } from '@kalnet/server/gateway/engine/testing/bench'
import { circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel'
import { type Figure, median, type Room } from '../gateway.ts'
import type { Hang } from './load.ts'

const MANY = 2 ** 30
const TURNS = 5
const LOOKS = 200_000

const nanoseconds = (began: number) => ((performance.now() - began) / LOOKS) * 1e6

function lookUp(count: number): number {
  const table = compileTable(
    Array.from({ length: count }, (_, at) => ({ route: routeOf({ host: `s${at}.localhost` }) })),
  )
  const hosts = Array.from({ length: 64 }, (_, at) => `s${(at * 157) % count}.localhost`)
  const look = () => {
    for (let turn = 0; turn < LOOKS; turn += 1)
      table.find(hosts[turn % 64] ?? '', '/photos/summer/beach.jpeg')
  }
  look()
  const began = performance.now()
  look()
  return nanoseconds(began)
}
const RULES = {
  failurePercent: 50,
  requests: 20,
  windowMs: 10_000,
  openMs: 5_000,
  onFault: 'closed' as const,
}
function breakerOfOurs(): number {
  const breaker = createBreaker(RULES)
  const began = performance.now()
  for (let turn = 0; turn < LOOKS; turn += 1) {
    const now = Date.now()
    breaker.admit(now)
    breaker.told(now, 'answered', false)
  }
  return nanoseconds(began)
}
async function breakerOfCockatiel(): Promise<number> {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: RULES.openMs,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: RULES.windowMs }),
  })
  const began = performance.now()
  for (let turn = 0; turn < LOOKS; turn += 1) await breaker.execute(() => turn)
  return nanoseconds(began)
}

/** 1 GB there and 1 GB back; the most memory on the way. */
async function large(
  port: number,
  memory: () => Promise<number>,
): Promise<{ grown: number; seconds: number }> {
  const before = await memory()
  let most = before
  let over = false
  const watching = (async () => {
    while (!over) {
      most = Math.max(most, await memory())
      await systemClock.sleep(100)
    }
  })()
  const began = performance.now()
  await new Promise<void>((resolve, reject) => {
    const out = request(
      { host: '127.0.0.1', port, method: 'PUT', path: `/large/${MANY}`, headers: { 'content-length': MANY } },
      (answer) => {
        let got = 0
        answer.on('data', (chunk: Buffer) => {
          got += chunk.length
        })
        answer.on('error', reject)
        answer.on('end', () => (got === MANY ? resolve() : reject(new Error(`${got} bytes came back`))))
      },
    )
    out.on('error', reject)
    const piece = Buffer.alloc(2 ** 18)
    let left = MANY / piece.length
    const more = () => {
      while (left > 0) {
        left -= 1
        if (!out.write(piece)) return
      }
      out.end()
    }
    out.on('drain', more)
    more()
  })
  const seconds = (performance.now() - began) / 1000
  over = true
  await watching
  return { grown: Math.max(0, most - before) / 2 ** 20, seconds }
}

export async function holds(
  room: Room,
  { port, memory, direct }: { port: number; memory(): Promise<number>; direct: number },
): Promise<Figure[]> {
  const { ask, start, signal } = room
  const figures: Figure[] = []
  const say = (figure: string, value: number, unit: string) =>
    figures.push({ figure, value: Number(value.toFixed(2)), unit })

  const body = await large(port, memory)
  say('memory grown by 1 GB each way', body.grown, 'MiB')
  say('1 GB each way', (2 * 1024) / body.seconds, 'MiB/s')

  // One of two dies in the middle.
  const [stays, dies] = [start('upstream.ts'), start('upstream.ts')]
  const pair = start('ours.ts')
  const replicas = await Promise.all([stays.ask<number>({}), dies.ask<number>({})])
  const two = await pair.ask<{ port: number }>({ upstreams: replicas })
  const killed = ask({ port: two.port, rate: 300, connections: 16, ms: 5_000 })
  await systemClock.sleep(2_000, signal)
  await dies.stop()
  const outcome = await killed
  say('failed requests, one of two replicas killed', outcome.failures, `of ${outcome.requests}`)

  const share = start('ours.ts')
  const fresh = start('upstream.ts')
  const upstreams = [direct, await fresh.ask<number>({})]
  const canary = { upstreams, policy: { canary: [{ release: 2, percent: 10 }] }, canary: 1 }
  const shared = await share.ask<{ port: number }>(canary)
  const before = await fresh.ask<{ served: number }>({ served: true })
  let asked = 0
  while (asked < 5_000)
    asked += (await ask({ port: shared.port, rate: 1_000, connections: 16, ms: 1_000 })).requests
  const after = await fresh.ask<{ served: number }>({ served: true })
  say(
    'canary of 10 %, points beside it in 5,000 requests',
    Math.abs(((after.served - before.served) / asked) * 100 - 10),
    'points',
  )

  const limited = start('ours.ts')
  const rate = { perSecond: 200, burst: 20, by: 'route' }
  const gate = await limited.ask<{ port: number }>({ upstreams: [direct], policy: { rate } })
  const pressed = await ask({ port: gate.port, rate: 1_000, connections: 16, ms: 5_000 })
  const passed = pressed.requests - pressed.failures
  // Where the machine is too busy to ask as much as is let through, what was asked is all that can pass.
  const due = Math.min(20 + 200 * pressed.seconds, pressed.requests)
  say('token bucket, beside what it should let through', (Math.abs(passed - due) / due) * 100, '%')

  // In turns: what else the machine does falls on both.
  const quiet: number[] = []
  const troubled: number[] = []
  const crowd = start('load.ts')
  const hang = (how: Hang['hang'], count: number) =>
    crowd.ask<number>({ port, hang: how, count } satisfies Hang)
  for (let turn = 0; turn < TURNS; turn += 1) {
    quiet.push((await ask({ port, rate: 300, connections: 16, ms: 3_000 })).p99)
    await hang('headers', 300)
    await hang('body', 300)
    await hang('reading', 100)
    // What the kernel takes of what is never read has been taken by then.
    await systemClock.sleep(3_000, signal)
    troubled.push((await ask({ port, rate: 300, connections: 16, ms: 3_000 })).p99)
    await hang('end', 0)
    await systemClock.sleep(1_000, signal)
  }
  say('healthy p99, alone', median(quiet), 'ms')
  say('healthy p99, with 600 slow and 100 never-reading clients', median(troubled), 'ms')
  say('healthy p99 beside slow and never-reading clients', median(troubled) / median(quiet), 'times')
  say('looking up a route, of 10', lookUp(10), 'ns')
  say('looking up a route, of 10,000', lookUp(10_000), 'ns')
  say('our breaker, one request', breakerOfOurs(), 'ns')
  say('the breaker of cockatiel, one request', await breakerOfCockatiel(), 'ns')
  return figures
}
