/**
 * Steady requests to one host of the gateway from a process of its own: `node load.ts <asked as JSON>`. Ends after `total` requests or with
 * SIGTERM, and then prints what came of them, as one line of JSON.
 */
import { Agent, request } from 'node:http'

const asked = JSON.parse(process.argv[2] ?? '{}') as Asked
export interface Asked {
  port: number
  host: string
  path?: string
  connections: number
  /** Without: as fast as it is answered. */
  perSecond?: number
  total?: number
}
export interface Came {
  asked: number
  /** By status, or by what broke. */
  statuses: Record<string, number>
  /** Answers by the word and by the instance that said it. */
  words: Record<string, number>
  instances: Record<string, number>
  /** From the first request to the last answer: on a busy machine requests wait for a connection, and are judged when they have one. */
  spanMs: number
  slowestMs: number
  /** What the first few said that were not answered with 200. */
  problems: string[]
}

const agent = new Agent({ keepAlive: true, maxSockets: asked.connections })
const came: Came = {
  asked: 0,
  statuses: {},
  words: {},
  instances: {},
  spanMs: 0,
  slowestMs: 0,
  problems: [],
}
const began = performance.now()
const count = (all: Record<string, number>, name: string) => {
  all[name] = (all[name] ?? 0) + 1
}
let open = 0
let isOver = false

function done(status: string, at: number, text: string) {
  open -= 1
  came.spanMs = performance.now() - began
  count(came.statuses, status)
  came.slowestMs = Math.max(came.slowestMs, performance.now() - at)
  if (status === '200') {
    const { word, me } = JSON.parse(text) as { word: string; me: string }
    count(came.words, word)
    count(came.instances, me)
  } else if (came.problems.length < 5) came.problems.push(`${Math.round(at - began)} ms ${status} ${text}`)
  if (isOver) return end()
  if (!asked.perSecond) next()
}
function next() {
  if (came.asked === asked.total) {
    isOver = true
    return end()
  }
  came.asked += 1
  open += 1
  const at = performance.now()
  const { port, host, path = '/' } = asked
  const one = request({ host: '127.0.0.1', port, path, agent, headers: { host } }, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () =>
      done(String(answer.statusCode), at, Buffer.concat(chunks).toString().slice(0, 300)),
    )
    answer.on('error', (error: NodeJS.ErrnoException) => done(`cut ${error.code}`, at, ''))
  })
  // Nothing it can be repeated after: one try, as a client that knows nothing of the service.
  one.on('error', (error: NodeJS.ErrnoException) => done(`no answer ${error.code}`, at, error.message))
  one.end()
}
function end() {
  if (open > 0) return
  process.stdout.write(`${JSON.stringify(came)}\n`, () => process.exit(0))
}

if (asked.perSecond) {
  const everyMs = 20
  let owed = 0
  let last = performance.now()
  const timer = setInterval(() => {
    if (isOver) return clearInterval(timer)
    const now = performance.now()
    owed += ((now - last) / 1000) * (asked.perSecond ?? 0)
    last = now
    for (; owed >= 1 && !isOver; owed -= 1) next()
  }, everyMs)
} else for (let at = 0; at < asked.connections; at += 1) next()
process.on('SIGTERM', () => {
  isOver = true
  end()
})
process.stdout.write('begun\n')
