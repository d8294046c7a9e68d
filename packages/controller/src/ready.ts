/** Is it there yet? Dials the port that a spec calls ready until it answers, it ends, or the time is up. */
import type { Duplex } from 'node:stream'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import type { Clock } from '@kalnet/io/clock'
import { PlatformAway } from './platforms/away.ts'
import type { Handle, Observation, Platform } from './platforms/platform.ts'

const BANNER_MS = 5_000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 250

/** Resolves true once the first bytes are an RFB banner (RFC 6143 §7.1.1). */
function bannerComes(stream: Duplex, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let text = ''
    const settle = (answer: boolean) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', refuse)
      resolve(answer)
    }
    const refuse = () => settle(false)
    const timer = setTimeout(refuse, BANNER_MS)
    signal.addEventListener('abort', refuse, { once: true })
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.length >= 4) settle(text.startsWith('RFB '))
    })
    stream.once('error', refuse)
    stream.once('close', refuse)
  })
}

async function answers(platform: Platform, handle: Handle, spec: InstanceSpec, signal: AbortSignal) {
  const ready = spec.ready
  const port = spec.ports.find((it) => it.name === ready?.port)
  if (!ready || !port) return true
  let stream: Duplex
  try {
    stream = await platform.dial(handle, ready.port, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof PlatformAway) throw error
    // Nothing listens yet: that is what we wait for.
    return false
  }
  try {
    return port.kind === 'display' ? await bannerComes(stream, signal) : true
  } finally {
    // What the peer does after we have hung up does not matter.
    stream.on('error', () => undefined)
    stream.destroy()
  }
}

export type Readiness =
  | { ready: true }
  | { ready: false; observation: Observation }
  | { ready: false; late: true }

/** `deadline` in milliseconds since the epoch, on the controller's clock. */
export async function awaitReady(
  {
    platform,
    handle,
    spec,
    deadline,
    clock,
  }: {
    platform: Platform
    handle: Handle
    spec: InstanceSpec
    deadline: number
    clock: Clock
  },
  signal: AbortSignal,
): Promise<Readiness> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted()
    if (await answers(platform, handle, spec, signal)) return { ready: true }
    const observation = await platform.observe(handle)
    if (observation.state !== 'running') return { ready: false, observation }
    if (clock.now().getTime() >= deadline) return { ready: false, late: true }
    await clock.sleep(pause, signal)
  }
}
