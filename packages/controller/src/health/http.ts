/** The smallest HTTP/1.1 client (RFC 9112): asks over a stream for one page and reads its status; nothing of the body is kept. */
import type { Duplex } from 'node:stream'

const HEAD_BYTES = 64 * 1024
/** What is read on after the status, so that the other side is not cut in the middle of a word. */
const REST_BYTES = 2 ** 20
const REST_MS = 1_000

/** The final status in what came so far; null: not all of it is here. Throws on anything that is no HTTP. */
export function statusIn(text: string): number | null {
  for (let rest = text; ; ) {
    const end = rest.indexOf('\r\n')
    const line = end < 0 ? rest : rest.slice(0, end)
    if (!line.startsWith('HTTP/1.'.slice(0, line.length))) throw new Error('It does not speak HTTP')
    if (end < 0) return null
    const status = Number(/^HTTP\/1\.\d (\d{3})(?: |$)/.exec(line)?.[1])
    if (!(status >= 100 && status <= 599)) throw new Error('It does not speak HTTP')
    if (status >= 200 || status === 101) return status
    // An interim answer (RFC 9110 §15.2): the final one follows its head.
    const next = rest.indexOf('\r\n\r\n')
    if (next < 0) return null
    rest = rest.slice(next + 4)
  }
}

/** Reads to the end, at most so much and so long, then hangs up. */
function readOut(stream: Duplex) {
  let left = REST_BYTES
  const hangUp = () => {
    clearTimeout(timer)
    stream.destroy()
  }
  const timer = setTimeout(hangUp, REST_MS).unref()
  stream.on('error', hangUp)
  stream.once('end', hangUp)
  stream.once('close', hangUp)
  stream.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) hangUp()
  })
}

export function askStatus(
  stream: Duplex,
  { host, path }: { host: string; path: string },
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = () => {
      signal.removeEventListener('abort', onAbort)
      stream.off('data', onData)
      stream.off('error', refuse)
      stream.off('end', onEnd)
      stream.off('close', onEnd)
    }
    const refuse = (error: unknown) => {
      settle()
      stream.on('error', () => undefined)
      stream.destroy()
      reject(error)
    }
    const onAbort = () => refuse(signal.reason)
    const onEnd = () => refuse(new Error('It hung up without an answer'))
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      try {
        const status = statusIn(text)
        if (status === null && text.length > HEAD_BYTES) throw new Error('Its answer has no end')
        if (status === null) return
        settle()
        readOut(stream)
        resolve(status)
      } catch (error) {
        refuse(error)
      }
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    stream.on('data', onData)
    stream.on('error', refuse)
    stream.on('end', onEnd)
    stream.on('close', onEnd)
    stream.write(
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: kalnet-health\r\naccept: */*\r\nconnection: close\r\n\r\n`,
    )
  })
}
