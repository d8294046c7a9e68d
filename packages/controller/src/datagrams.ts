/** A UDP port of an instance as a stream: each datagram with its length in front, as the other end of the tunnel reads it. */
import { type Duplex, duplexPair } from 'node:stream'
import { createDatagramReader, sendDatagram } from '@kalnet/wire/datagrams'
import type { Datagrams, Handle, Platform } from './platforms/platform.ts'

/** The platform's way lives as long as its signal, so that this may not be the one that limits how long dialling takes. */
export async function dialAsStream(
  { platform, handle }: { platform: Pick<Platform, 'dialDatagrams'>; handle: Handle },
  port: string,
  signal: AbortSignal,
  withinMs: number,
): Promise<Duplex> {
  if (!platform.dialDatagrams) throw new Error('datagrams are not passed on here')
  const over = new AbortController()
  const late = setTimeout(() => over.abort(new Error('it did not answer in time')), withinMs)
  try {
    const both = AbortSignal.any([signal, over.signal])
    return streamOf(await platform.dialDatagrams(handle, port, both), both)
  } finally {
    clearTimeout(late)
  }
}

export function streamOf(datagrams: Datagrams, signal: AbortSignal): Duplex {
  const [near, far] = duplexPair()
  const end = () => {
    datagrams.close()
    far.destroy()
    signal.removeEventListener('abort', onAbort)
  }
  const onAbort = () => near.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  far.on(
    'data',
    createDatagramReader((payload) => datagrams.send(payload)),
  )
  far.on('error', () => far.destroy())
  // Who has nothing more to send has nobody to hear for.
  far.on('end', () => far.end())
  datagrams.onMessage((payload) => void sendDatagram(far, payload))
  near.once('close', end)
  return near
}
