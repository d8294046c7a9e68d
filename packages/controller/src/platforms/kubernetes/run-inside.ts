/** Programs that the cluster starts inside a pod for us: their output, their end, and bytes to and from them. */
import type { Duplex } from 'node:stream'
import type { Channels } from '@kalnet/wire/channels'
import type { Executed, Handle } from '../platform.ts'
import { lastLineOf } from '../reasons.ts'
import type { Api } from './api.ts'
import { CONTAINER, paths } from './names.ts'

const [INPUT, OUTPUT, ERRORS, STATUS] = [0, 1, 2, 3]
const MOST_OUTPUT = 64 * 1024
/** Later than its own limit inside, which ends it there. */
const SLACK_MS = 5_000

interface Status {
  status?: string
  message?: string
  reason?: string
  details?: { causes?: { reason?: string; message?: string }[] }
}

const open = (
  api: Api,
  handle: Handle,
  command: string[],
  hasInput: boolean,
  signal: AbortSignal,
): Promise<Channels> =>
  api.channels(
    `${paths.pod(String(handle.data.namespace), String(handle.data.pod))}/exec`,
    { container: CONTAINER, command, stdin: String(hasInput), stdout: 'true', stderr: 'true', tty: 'false' },
    ['v4.channel.k8s.io'],
    signal,
  )

/** Its exit code as the API tells it: success is zero, else it is among the causes; null when it never began or was cut. */
export function codeOf(status: Status | null): number | null {
  if (status?.status === 'Success') return 0
  const told = status?.details?.causes?.find((it) => it.reason === 'ExitCode')?.message
  return told === undefined ? null : Number(told)
}

/** `timeout` ends it inside, because the cluster has no word for that. */
export async function runInside(
  api: Api,
  handle: Handle,
  command: string[],
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Executed> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs + SLACK_MS)])
  const limited = ['timeout', '-s', 'KILL', String(timeoutMs / 1000), ...command]
  const startedAt = performance.now()
  const channels = await open(api, handle, limited, false, until)
  let text = ''
  let status: Status | null = null
  channels.onMessage((channel, payload) => {
    if (channel === OUTPUT || channel === ERRORS) text = (text + payload.toString('utf8')).slice(-MOST_OUTPUT)
    else if (channel === STATUS) status = JSON.parse(payload.toString('utf8')) as Status
  })
  const onAbort = () => channels.close()
  until.addEventListener('abort', onAbort, { once: true })
  await channels.closed
  until.removeEventListener('abort', onAbort)
  signal.throwIfAborted()
  const isLate = performance.now() - startedAt >= timeoutMs
  const code = codeOf(status)
  return { code: isLate && (code === 137 || code === null) ? null : code, lastLine: lastLineOf(text) }
}

/** Bytes to and from a program inside: its input and its output. What it complains of becomes the error of the stream. */
export async function openInside(
  api: Api,
  handle: Handle,
  command: string[],
  signal: AbortSignal,
): Promise<Duplex> {
  const channels = await open(api, handle, command, true, signal)
  const stream = channels.stream(INPUT, OUTPUT)
  let complaint = ''
  channels.onMessage((channel, payload) => {
    if (channel === ERRORS) complaint = (complaint + payload.toString('utf8')).slice(-500)
    if (channel !== STATUS) return
    const code = codeOf(JSON.parse(payload.toString('utf8')) as Status)
    if (code !== 0 && !stream.destroyed)
      stream.destroy(new Error(lastLineOf(complaint) || `its relay ended with ${code ?? 'a signal'}`))
  })
  return stream
}
