/** What is sent to a collector, when, and what is let go: tables, and a collector that is none. A real one reads it in test/gateway/telemetry.real.test.ts. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { config as configSchema } from '@kalnet/contracts/config'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { type Answer, type Ask, type Outbound, OutboundError } from '@kalnet/io/outbound'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createHistogram } from '../../gateway/engine/figures.ts'
import { isChosen, traceOf } from '../trace.ts'
import { BOUNDS_S, createTimes, type Ended, stepsOf } from './figure.ts'
import { createQueue } from './queue.ts'
import { addressFor, afterMs, headersOf } from './sender.ts'
import { createTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

describe('[MSH-5.otlp] how a collector is spoken to', () => {
  it.each([
    ['http://c:4318', 'http://c:4318/v1/traces'],
    ['http://c:4318/', 'http://c:4318/v1/traces'],
    ['https://c/otlp/?a=b', 'https://c/otlp/v1/traces?a=b'],
  ])('%s → %s', (base, url) => expect(addressFor(base, 'traces')).toBe(url))
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['Authorization=Basic%20eA%3D%3D', { authorization: 'Basic eA==' }],
    ['a=1, b = 2 ,c=x=y', { a: '1', b: '2', c: 'x=y' }],
  ])('headers %j', (text, headers) => expect(headersOf(text)).toEqual(headers))
  it.each([
    'canary',
    'a=1,b',
    '=1,canary',
    'canary b=1',
    'a=%zz',
    'a=1\r\nb: 2',
    'content-type=x',
    'Content-Encoding=x',
    'a=%0d%0ab',
  ])('headers %j are refused, and not repeated', (otlpHeaders) => {
    const result = configSchema.safeParse({ telemetry: { otlpHeaders } })
    expect(result.success).toBe(false)
    expect(JSON.stringify(result.error?.issues)).not.toContain(otlpHeaders)
  })
  it.each(['ftp://c', 'c:4318', 'http://me:secret@c'])('the address %j is refused', (otlpUrl) => {
    expect(configSchema.safeParse({ telemetry: { otlpUrl } }).success).toBe(false)
  })
  const now = Date.parse('2026-01-01T00:00:00Z')
  it.each<[string | undefined, number | null]>([
    ['3', 3_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
    ['Thu, 01 Jan 2025 00:00:05 GMT', 0],
    ['99999999', 600_000],
    ['soon', null],
    ['', null],
    [undefined, null],
  ])('Retry-After %j is %j ms', (header, ms) => expect(afterMs(header, now)).toBe(ms))
})

describe('[MSH-5.otlp] what is kept', () => {
  it('the queue holds so many, the oldest go, and every one is somewhere', () => {
    const step = fc.oneof(fc.constant('add' as const), fc.record({ take: fc.nat(6), back: fc.boolean() }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = createQueue<number>(5)
        let model: number[] = []
        let gone = 0
        let next = 0
        for (const it of steps) {
          if (it === 'add') {
            queue.add(next)
            model.push(next)
            next += 1
          } else {
            const taken = queue.take(it.take)
            expect(taken).toEqual(model.slice(0, it.take))
            model = model.slice(it.take)
            if (it.back) {
              queue.giveBack(taken)
              model = [...taken, ...model]
            }
          }
          while (model.length > 5) {
            model.shift()
            gone += 1
          }
          expect([queue.size(), queue.dropped()]).toEqual([model.length, gone])
        }
        expect(queue.take(9)).toEqual(model)
      }),
    )
  })
  it('what was given back while others came makes room first', () => {
    const queue = createQueue<number>(3)
    for (const one of [1, 2, 3]) queue.add(one)
    const taken = queue.take(2)
    queue.add(4)
    queue.giveBack(taken)
    expect([queue.take(9), queue.dropped()]).toEqual([[2, 3, 4], 1])
  })
  it('times: the engine’s own histogram and ours fall into the same steps, and each step is right', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 30 }), { maxLength: 100 }), (micros) => {
        const [engine, ours] = [createHistogram(), createTimes()]
        for (const one of micros) {
          engine.add(one / 1000)
          ours.add(one / 1000)
        }
        const counts = stepsOf(engine.byPower())
        expect(ours.value().counts).toEqual(counts)
        expect(counts).toHaveLength(BOUNDS_S.length + 1)
        // A bound itself counts as above it: within a microsecond.
        expect(counts).toEqual(
          counts.map(
            (_, step) =>
              micros.filter((one) => {
                const [from = 0, to = Number.POSITIVE_INFINITY] = [BOUNDS_S[step - 1], BOUNDS_S[step]]
                return one / 1e6 >= from && one / 1e6 < to
              }).length,
          ),
        )
      }),
    )
  })
  it('a share of the traces that begin here is kept, and all parts of one agree', () => {
    const ids = Array.from({ length: 2_000 }, () => traceOf(undefined, undefined, undefined).traceparent)
    const kept = ids.filter((it) => isChosen(it.split('-')[1] ?? '', 0.25)).length
    // 500 expected; nine deviations of it.
    expect(Math.abs(kept - 500)).toBeLessThan(175)
    for (const share of [0, 1])
      expect(traceOf(undefined, undefined, undefined, share).traceparent.endsWith(`-0${share}`)).toBe(true)
    for (const flags of ['00', '01']) {
      const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`
      const trace = traceOf(undefined, parent, undefined, flags === '00' ? 1 : 0)
      expect(trace.traceparent.endsWith(flags)).toBe(true)
      expect(trace.parentId).toBe('b'.repeat(16))
    }
  })
})

const callOf = (name: string, share = 1): Ended => ({
  name,
  trace: traceOf(undefined, undefined, undefined, share),
  beganAt: 0,
  tookMs: 1,
  failed: false,
  attributes: { 'url.path': '/x' },
})

interface Heard {
  url: string
  ask: Ask
  text: string
}
type Reply = Partial<Answer> | Error | 'never'

/** `reply`: what it says to each request, one after the other; the last one stays. */
function collector(replies: { traces?: Reply[]; metrics?: Reply[] }) {
  const heard: Record<'traces' | 'metrics', Heard[]> = { traces: [], metrics: [] }
  const outbound: Outbound = {
    async ask(url, ask) {
      const what = url.endsWith('/v1/traces') ? 'traces' : 'metrics'
      heard[what].push({ url, ask, text: gunzipSync(ask.body ?? '').toString('latin1') })
      const all = replies[what] ?? [{}]
      const reply = all[Math.min(heard[what].length, all.length) - 1] ?? {}
      if (reply === 'never')
        await new Promise((_, reject) =>
          ask.signal.addEventListener('abort', () => reject(ask.signal.reason)),
        )
      if (reply instanceof Error) throw reply
      return { status: 200, headers: {}, body: Buffer.alloc(0), url, ...(reply as Partial<Answer>) }
    },
    close: async () => undefined,
  }
  return { outbound, heard }
}
function begin(
  outbound: Outbound,
  { telemetry = {}, ...more }: Partial<TelemetryOptions> & { telemetry?: object } = {},
): Telemetry {
  const made = createTelemetry({
    config: configSchema.parse({ telemetry: { otlpUrl: 'http://c:4318', everyMs: 1_000, ...telemetry } }),
    name: 'kalnet',
    version: '1',
    clock: systemClock,
    log: createLog('test', 'silent'),
    outbound,
    limits: { callsEveryMs: 20, retryMs: 5, retryMostMs: 20, flushMs: 200 },
    ...more,
  })
  if (!made) throw new Error('it is off')
  ends.push(() => made.close())
  return made
}
const until = async (holds: () => boolean) => {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) await systemClock.sleep(10)
  expect(holds()).toBe(true)
}

describe('[MSH-5.otlp] sending', () => {
  it('calls and figures go packed, with the key, nowhere else, and nobody who is not meant', async () => {
    const { outbound, heard } = collector({})
    const it = begin(outbound, { telemetry: { otlpHeaders: 'x-key=canary-key' } })
    expect(it.state()).toBe('waiting')
    it.ended(callOf('GET /wanted'))
    it.ended(callOf('GET /unwanted', 0))
    await until(() => heard.traces.length > 0 && heard.metrics.length > 0)
    await until(() => it.state() === 'connected')
    const [call] = heard.traces
    expect(call?.ask).toMatchObject({
      method: 'POST',
      redirects: 'answer',
      headers: {
        'x-key': 'canary-key',
        'content-type': 'application/x-protobuf',
        'content-encoding': 'gzip',
      },
    })
    expect(call?.text).toContain('GET /wanted')
    expect(call?.text).not.toContain('unwanted')
    expect(heard.metrics[0]?.text).toContain('process.memory.usage')
    expect(heard.metrics[0]?.text).toContain('nodejs.eventloop.delay.p99')
    expect(heard.metrics[0]?.text).not.toContain('canary')
  })
  it.each<[string, Reply]>([
    ['what may come again comes again', { status: 503 }],
    ['nobody there', new OutboundError('It cannot be reached.')],
  ])('%s, in order and once', async (_, reply) => {
    const { outbound, heard } = collector({ traces: [reply, reply, {}] })
    const it = begin(outbound)
    it.ended(callOf('first'))
    it.ended(callOf('second'))
    await until(() => heard.traces.length === 3)
    expect(heard.traces[2]?.text).toMatch(/first.*second/s)
    it.ended(callOf('third'))
    await until(() => heard.traces.length === 4)
    expect(heard.traces[3]?.text).not.toContain('first')
  })
  it('what is refused is not said again, and counted', async () => {
    const { outbound, heard } = collector({ traces: [{ status: 400 }, {}] })
    const it = begin(outbound)
    it.ended(callOf('refused'))
    await until(() => heard.traces.length === 1)
    it.ended(callOf('taken'))
    await until(() => heard.traces.length === 2)
    expect(heard.traces[1]?.text).not.toContain('refused')
  })
  it('Retry-After is kept, for calls and figures alike', async () => {
    const later: Reply = { status: 429, headers: { 'retry-after': '3600' } }
    const { outbound, heard } = collector({ traces: [later], metrics: [later] })
    const it = begin(outbound)
    it.ended(callOf('one'))
    await until(() => heard.traces.length === 1 && heard.metrics.length === 1)
    for (let count = 0; count < 2_000; count += 1) it.ended(callOf('more'))
    await systemClock.sleep(150)
    expect([heard.traces.length, heard.metrics.length]).toEqual([1, 1])
    expect(it.state()).toBe('waiting')
  })
  it('away for long: the newest are kept, so many and no more, and how many went is told', async () => {
    const { outbound, heard } = collector({ traces: [new Error('away'), new Error('away'), {}] })
    const it = begin(outbound, {
      limits: { callsEveryMs: 100, retryMs: 400, queue: 10, batch: 4, flushMs: 500 },
    })
    for (let count = 0; count < 25; count += 1) it.ended(callOf(`call-${String(count).padStart(2, '0')}.`))
    await until(() => heard.traces.length >= 3)
    await it.close()
    const taken = heard.traces.slice(2).map(({ text }) => text.match(/call-\d\d/g) ?? [])
    expect(taken.map((one) => one.length)).toEqual([4, 4, 2])
    expect(taken.flat()).toEqual(Array.from({ length: 10 }, (_, at) => `call-${at + 15}`))
  })
  it('what the collector took but did not want is heard', async () => {
    // ExportTraceServiceResponse{partial_success{rejected_spans: 3, error_message: "too old"}}
    const body = Buffer.from('0a0b08031207746f6f206f6c64', 'hex')
    const said: string[] = []
    const log = {
      ...createLog('test', 'silent'),
      warn: (...words: unknown[]) => void said.push(JSON.stringify(words)),
    }
    const { outbound, heard } = collector({ traces: [{ body }] })
    const it = begin(outbound, { log: log as never, telemetry: { otlpHeaders: 'x-key=canary-key' } })
    it.ended(callOf('old'))
    await until(() => heard.traces.length === 1 && said.length > 0)
    expect(said.join()).toContain('too old')
    expect(said.join()).not.toContain('canary')
    expect(it.state()).toBe('connected')
  })
  it('stopping sends what is left, and waits for a collector that says nothing no longer than it should', async () => {
    const { outbound, heard } = collector({})
    const it = begin(outbound, { limits: { callsEveryMs: 60_000, flushMs: 5_000 } })
    it.ended(callOf('last'))
    await it.close()
    expect(heard.traces[0]?.text).toContain('last')
    expect(heard.metrics).toHaveLength(1)
    const dead = collector({ traces: ['never'], metrics: ['never'] })
    const other = begin(dead.outbound, { limits: { callsEveryMs: 60_000, flushMs: 50 } })
    other.ended(callOf('lost'))
    await other.close()
    expect(dead.heard.traces).toHaveLength(1)
  })
  it('figures that cannot be read now keep none of the others back', async () => {
    const { outbound, heard } = collector({})
    const it = begin(outbound)
    it.measure(() => Promise.reject(new Error('no database')))
    it.measure(() => [
      {
        name: 'one.more',
        description: '',
        unit: '1',
        is: { kind: 'gauge', points: [{ attributes: {}, value: 1 }] },
      },
    ])
    await until(() => heard.metrics.length > 0)
    expect(heard.metrics.map(({ text }) => text).join()).toContain('one.more')
  })
  it('a collector on a network of one’s own is reached only where that is allowed', async () => {
    const said: string[] = []
    const log = {
      ...createLog('test', 'silent'),
      warn: (...words: unknown[]) => void said.push(JSON.stringify(words)),
    }
    const made = createTelemetry({
      config: configSchema.parse({ telemetry: { otlpUrl: 'http://127.0.0.1:9' } }),
      name: 'kalnet',
      version: '1',
      clock: systemClock,
      log: log as never,
      limits: { callsEveryMs: 10 },
    })
    ends.push(() => made?.close())
    await until(() => said.length > 0)
    expect(said[0]).toContain('not allowed')
  })
})

describe('[MSH-5.otlp] where no collector is configured', () => {
  it('there is nothing', () => {
    const off = { config: configSchema.parse({}), name: 'kalnet', version: '1', clock: systemClock }
    expect(createTelemetry({ ...off, log: createLog('test', 'silent') })).toBeNull()
  })
  it('OpenTelemetry is imported by one file, and that one only when it is needed', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const files = (await readdir(root, { recursive: true })).filter((name) => /\.ts$/.test(name))
    const using: string[] = []
    for (const file of files) {
      const text = await readFile(join(root, file), 'utf8')
      if (/from '@opentelemetry\//.test(text)) using.push(file)
      expect(text, file).not.toMatch(/^import [^\n]*telemetry\/encode\.ts'|from '\.\/encode\.ts'/m)
    }
    expect(using).toEqual(['core/telemetry/encode.ts'])
  })
})
