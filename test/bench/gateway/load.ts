/** In the bench: those who ask, on connections that stay open; as little work for each request as can be, so that it is the gateway that is measured. */
import { connect, type Socket } from 'node:net'
import { answer } from '../stream/processes.ts'

export interface Load {
  port: number
  path: string
  connections: number
  ms: number
  /** Requests a second, evenly; absent: each as soon as the one before is answered. */
  rate?: number
}
export interface Measured {
  requests: number
  failures: number
  seconds: number
  p50: number
  p99: number
}
/** Never reads, or never says all. */
export interface Hang {
  port: number
  hang: 'headers' | 'body' | 'reading' | 'end'
  count: number
}

interface Line {
  ask(began: number): boolean
  close(): void
}

const END = Buffer.from('\r\n\r\n')
function open(port: number, path: string, done: (began: number, well: boolean) => void): Line {
  const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  let socket: Socket | null = null
  let began = 0
  let waiting = false
  let got = 0
  let wanted = 0
  let status = ''
  const finish = (well: boolean) => {
    if (!waiting) return
    waiting = false
    done(began, well)
  }
  function dial(): Socket {
    const made = connect({ host: '127.0.0.1', port, noDelay: true })
    made.on('error', () => undefined)
    made.on('close', () => {
      if (socket === made) socket = null
      finish(false)
    })
    made.on('data', (chunk) => {
      if (got === 0) {
        // A head is small and comes whole.
        const head = chunk.indexOf(END)
        const text = chunk.toString('latin1', 0, head)
        status = text.slice(9, 12)
        const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text) ?? []
        wanted = head + 4 + Number(length ?? 0)
      }
      got += chunk.length
      if (got < wanted) return
      got = 0
      finish(status === '200')
    })
    return made
  }
  return {
    ask(at) {
      if (waiting) return false
      waiting = true
      began = at
      got = 0
      socket ??= dial()
      socket.write(bytes)
      return true
    },
    close: () => socket?.destroy(),
  }
}

function measure({ port, path, connections, ms, rate }: Load): Promise<Measured> {
  return new Promise((resolve) => {
    const times: number[] = []
    let failures = 0
    const started = performance.now()
    let over = false
    const idle: Line[] = []
    const waits: number[] = []
    const lines = Array.from({ length: connections }, () => {
      const line = open(port, path, (began, well) => {
        const now = performance.now()
        times.push(now - began)
        if (!well) failures += 1
        if (over) return
        if (rate === undefined) line.ask(now)
        else {
          const next = waits.shift()
          // Whoever waited for a free line has waited since it was due.
          if (next === undefined) idle.push(line)
          else line.ask(next)
        }
      })
      return line
    })
    let timer: NodeJS.Timeout | null = null
    if (rate === undefined) for (const line of lines) line.ask(started)
    else {
      idle.push(...lines)
      let sent = 0
      timer = setInterval(() => {
        const now = performance.now()
        const due = Math.floor(((now - started) / 1000) * rate)
        for (; sent < due; sent += 1) {
          const line = idle.pop()
          if (line) line.ask(now)
          else waits.push(now)
        }
      }, 1)
    }
    setTimeout(() => {
      over = true
      if (timer) clearInterval(timer)
      const seconds = (performance.now() - started) / 1000
      const sorted = times.toSorted((one, other) => one - other)
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
      for (const line of lines) line.close()
      resolve({ requests: times.length, failures, seconds, p50: at(0.5), p99: at(0.99) })
    }, ms)
  })
}

const DRIBBLE_MS = 500
/** One byte now and then, each client in its own time: six hundred strangers do not keep step. */
function dribble(socket: Socket, afterMs: number): void {
  setTimeout(() => {
    const timer = setInterval(() => {
      if (socket.writable) socket.write('a')
      else clearInterval(timer)
    }, DRIBBLE_MS)
  }, afterMs)
}

let hanging: Socket[] = []
function hang({ port, hang: how, count }: Hang): number {
  if (how === 'end') {
    for (const socket of hanging) socket.destroy()
    hanging = []
    return 0
  }
  for (let at = 0; at < count; at += 1) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    if (how === 'reading') {
      socket.pause()
      socket.write('GET /large/1000000000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    } else if (how === 'body')
      socket.write('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\na')
    else socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
    hanging.push(socket)
    if (how !== 'reading') dribble(socket, (at * DRIBBLE_MS) / count)
  }
  return hanging.length
}
answer((asked: Load | Hang) => ('hang' in asked ? hang(asked) : measure(asked)))
