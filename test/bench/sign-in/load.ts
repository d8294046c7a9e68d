/** Those who knock: wrong passwords from all over, and somebody signed in who only wants to work. Each in a process of its own. */
import { Agent, request } from 'node:http'
import { answer } from '../stream/processes.ts'

interface Asked {
  status: number
  ms: number
}
interface Ask {
  port: number
  method: string
  path: string
  body?: object
  cookie?: string
  agent?: Agent
  /** Loopback has sixteen million addresses: each a household of its own. */
  from?: string
}

function ask({ port, method, path, body, cookie, agent, from }: Ask): Promise<Asked> {
  const text = body && JSON.stringify(body)
  const headers = {
    ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}),
    ...(cookie ? { cookie } : {}),
  }
  const started = performance.now()
  return new Promise((resolve) => {
    const call = request(
      { host: '127.0.0.1', port, method, path, headers, agent: agent ?? false, localAddress: from },
      (response) => {
        response.resume()
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, ms: performance.now() - started }),
        )
      },
    )
    call.setTimeout(20_000, () => call.destroy(new Error('late')))
    call.on('error', () => resolve({ status: 0, ms: performance.now() - started }))
    call.end(text)
  })
}
const anywhere = () => `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 254)).join('.')}`

/** At an even pace, however long the answers take: a crowd does not wait for each other. */
function paced<T>(rate: number, ms: number, work: (turn: number) => Promise<T>): Promise<T[]> {
  const under: Promise<T>[] = []
  const started = performance.now()
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - started) / 1000) * rate)
      while (under.length < due) under.push(work(under.length))
      if (performance.now() - started < ms) return
      clearInterval(timer)
      resolve(Promise.all(under))
    }, 5)
  })
}
const counted = (all: Asked[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const { status } of all) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 })
const WORK = [
  { method: 'GET', path: '/api/me' },
  { method: 'GET', path: '/api/sessions' },
  { method: 'GET', path: '/api/templates' },
  { method: 'GET', path: '/api/sign-ins' },
  { method: 'GET', path: '/api/sessions' },
  { method: 'GET', path: '/api/me' },
  { method: 'GET', path: '/api/factors' },
  { method: 'PATCH', path: '/api/me', body: { name: 'Ada' } },
]

/** One wrong password of somebody known and of nobody, in turns, one after the other. */
async function inTurns(port: number, n: number): Promise<{ known: number[]; unknown: number[] }> {
  const times = { known: [] as number[], unknown: [] as number[] }
  for (let turn = 0; turn < n; turn += 1)
    for (const kind of turn % 2 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
      const body = { email: `${kind}${turn + 1}@example.org`, password: `wrong words ${turn}` }
      const { status, ms } = await ask({ port, method: 'POST', path: '/api/sign-in', body, from: anywhere() })
      if (status !== 401) throw new Error(`a wrong password was answered with ${status}`)
      times[kind].push(ms)
    }
  return times
}

interface Request {
  port: number
  cookie?: string
  rate?: number
  ms?: number
  flood?: true
  turns?: number
}
answer(async ({ port, cookie, rate = 1, ms = 0, flood, turns }: Request) => {
  if (turns) return inTurns(port, turns)
  if (flood) {
    const wrong = (turn: number) => ({
      email: `known${1 + (turn % 2000)}@example.org`,
      password: `wrong ${turn}`,
    })
    return counted(
      await paced(rate, ms, (turn) =>
        ask({ port, method: 'POST', path: '/api/sign-in', body: wrong(turn), from: anywhere() }),
      ),
    )
  }
  const answers = await paced(rate, ms, (turn) => ask({ port, cookie, agent, ...WORK[turn % WORK.length]! }))
  const failed = answers.filter(({ status }) => status !== 200).length
  if (failed > 0) throw new Error(`${failed} of ${answers.length} ordinary requests failed`)
  return answers.map((it) => it.ms)
})
