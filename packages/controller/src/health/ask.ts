/** Asks a running instance once whether it is well, within its time. Whatever happens is an answer, never a throw. */
import type { Duplex } from 'node:stream'
import type { Probe } from '@kalnet/contracts/health'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import type { Handle, Platform } from '../platforms/platform.ts'
import { problemInWords } from '../platforms/reasons.ts'
import { askStatus } from './http.ts'
import type { Verdict } from './judge.ts'

export interface Answer {
  verdict: Verdict
  /** One sentence. */
  detail: string
  tookMs: number
  /** It said nothing within its time. */
  isLate: boolean
}
export interface Asked {
  platform: Platform
  handle: Handle
  spec: Pick<InstanceSpec, 'ports'>
  probe: Probe
}
type Said = Pick<Answer, 'verdict' | 'detail'>

const MOST_LETTERS = 300
const SPARE_MS = 1_000

function hangUp(stream: Duplex) {
  // What the other side does after we have hung up does not matter.
  stream.on('error', () => undefined)
  stream.destroy()
}

async function askHttp(
  { platform, handle, spec }: Asked,
  probe: Extract<Probe, { kind: 'http' }>,
  signal: AbortSignal,
): Promise<Said> {
  const stream = await platform.dial(handle, probe.port, signal)
  const at = spec.ports.find((it) => it.name === probe.port)?.at
  // As a header takes it, whatever a template says.
  const named = probe.host?.replaceAll(/[^!-~]/g, '')
  const host = named ?? (at && 'tcp' in at ? `localhost:${at.tcp}` : 'localhost')
  const status = await askStatus(stream, { host, path: probe.path }, signal)
  const isFine = status >= probe.statusFrom && status <= probe.statusTo
  return { verdict: isFine ? 'fine' : 'failed', detail: `It answered with status ${status}` }
}

async function askCommand({ platform, handle }: Asked, command: string[], signal: AbortSignal, ms: number) {
  // Ours is the first word about the time.
  const executed = await platform.exec?.(handle, command, signal, ms + SPARE_MS)
  if (!executed) return runs({ platform, handle })
  const { code, lastLine } = executed
  const said = lastLine ? `: ${lastLine}` : ''
  if (code === 0) return { verdict: 'fine' as const, detail: `The check passed${said}` }
  return { verdict: 'failed' as const, detail: `The check ended with ${code ?? 'a signal'}${said}` }
}

/** Where nothing more can be known. */
async function runs({ platform, handle }: Pick<Asked, 'platform' | 'handle'>): Promise<Said> {
  const { state } = await platform.observe(handle)
  return { verdict: state === 'running' ? 'fine' : 'failed', detail: 'It runs; nothing more can be asked' }
}

async function askPlatform({ platform, handle }: Asked): Promise<Said> {
  const said = await platform.healthOf?.(handle)
  if (!said) return runs({ platform, handle })
  const verdicts = { starting: null, healthy: 'fine', unhealthy: 'failed' } as const
  return { verdict: verdicts[said.state], detail: said.detail || `Its image says: ${said.state}` }
}

async function askOnce(asked: Asked, signal: AbortSignal): Promise<Said> {
  const { probe, platform, handle } = asked
  switch (probe.kind) {
    case 'http':
      return askHttp(asked, probe, signal)
    case 'tcp':
      hangUp(await platform.dial(handle, probe.port, signal))
      return { verdict: 'fine', detail: 'It takes connections' }
    case 'command':
      return askCommand(asked, probe.command, signal, probe.timeoutMs)
    case 'container':
      return askPlatform(asked)
  }
}

const inWords = (error: unknown): string =>
  error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
    ? 'Nothing listens there'
    : problemInWords(error)

/** Rejects with the signal's reason, whatever the work does: a platform that hangs holds nobody up. */
function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Throws only when the signal is aborted. */
export async function ask(asked: Asked, signal: AbortSignal): Promise<Answer> {
  const { timeoutMs } = asked.probe
  const late = AbortSignal.timeout(timeoutMs)
  const began = performance.now()
  const answer = (said: Said, isLate: boolean): Answer => ({
    verdict: said.verdict,
    detail: said.detail.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MOST_LETTERS),
    tookMs: Math.round((performance.now() - began) * 10) / 10,
    isLate,
  })
  try {
    const limit = AbortSignal.any([signal, late])
    return answer(await until(limit, askOnce(asked, limit)), false)
  } catch (error) {
    signal.throwIfAborted()
    const detail = late.aborted ? `No answer within ${timeoutMs / 1000} s` : inWords(error)
    return answer({ verdict: 'failed', detail }, late.aborted)
  }
}
