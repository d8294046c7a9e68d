/**
 * The screen of a pod listens for whoever knows a secret. What is between is answered here, so that everybody above
 * sees a screen that asks for nothing: VNC authentication towards the pod (RFC 6143, 7.2.2), none towards us.
 */
import { createCipheriv, randomInt } from 'node:crypto'
import { Duplex } from 'node:stream'
import { encrypted, VENCRYPT } from './display-tls.ts'

const BANNER = Buffer.from('RFB 003.008\n')
const NONE = 1
const VNC = 2
const CHALLENGE = 16
const HANDSHAKE_MS = 10_000
/** Of a file that Xvnc reads its secret from: known to everybody, it only keeps eyes away. */
const FILE_KEY = Buffer.from([23, 82, 107, 6, 35, 78, 88, 7])
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

export interface Screen {
  secret: string
  /** PEM, of a screen that is reached over the network of the cluster. */
  certificate: string | null
}

/** As long as the protocol takes one. */
export const newSecret = (): string =>
  Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('')

const reversed = (byte: number) => {
  let bits = 0
  for (let at = 0; at < 8; at += 1) if (byte & (1 << at)) bits |= 128 >> at
  return bits
}

/** The protocol's own DES, each byte of the key with its bits turned round. As triple DES with one key three times, which is DES. */
function des(key: Buffer, data: Buffer): Buffer {
  const turned = Buffer.from(Uint8Array.from(key, reversed))
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([turned, turned, turned]), null)
  cipher.setAutoPadding(false)
  return Buffer.concat([cipher.update(data), cipher.final()])
}

const padded = (secret: string) =>
  Buffer.concat([Buffer.from(secret, 'latin1'), Buffer.alloc(8)]).subarray(0, 8)
export const answerTo = (challenge: Buffer, secret: string): Buffer => des(padded(secret), challenge)
/** What stands in Xvnc's file. */
export const secretFile = (secret: string): Buffer => des(FILE_KEY, padded(secret))

/** Reads exactly so many bytes, however they come. What came too much is put back. */
function reader(stream: Duplex, signal: AbortSignal) {
  return (count: number): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        for (const [name, listener] of listeners) stream.off(name, listener)
        signal.removeEventListener('abort', onAbort)
        finish()
      }
      const look = () => {
        const bytes: Buffer | null = stream.read(count)
        // At its end a stream gives what is left, however little.
        if (bytes && bytes.length === count) settle(() => resolve(bytes))
        else if (bytes || stream.readableEnded) onEnd()
      }
      const onEnd = () => settle(() => reject(new Error('the display closed the connection')))
      const onError = (error: Error) => settle(() => reject(error))
      const onAbort = () => settle(() => reject(signal.reason))
      const listeners: [string, (problem: Error) => void][] = [
        ['readable', look],
        ['end', onEnd],
        ['close', onEnd],
        ['error', onError],
      ]
      for (const [name, listener] of listeners) stream.on(name, listener)
      signal.addEventListener('abort', onAbort, { once: true })
      look()
    })
}

/** Proves that we know the secret; with a certificate, inside TLS by it and not otherwise. Answers what is spoken through from then on. */
async function prove(inner: Duplex, { secret, certificate }: Screen, signal: AbortSignal): Promise<Duplex> {
  const read = reader(inner, signal)
  const banner = await read(BANNER.length)
  if (!banner.toString('latin1').startsWith('RFB ')) throw new Error('what answers is no display')
  inner.write(BANNER)
  const [count = 0] = await read(1)
  if (count === 0) throw new Error(`the display refused: ${await said(read)}`)
  const kinds = await read(count)
  const kind = certificate ? VENCRYPT : VNC
  if (!kinds.includes(kind)) throw new Error('the display asks for something else than its secret')
  inner.write(Buffer.from([kind]))
  const stream = certificate ? await encrypted(inner, read, certificate, signal) : inner
  const readOn = certificate ? reader(stream, signal) : read
  stream.write(answerTo(await readOn(CHALLENGE), secret))
  if ((await readOn(4)).readUInt32BE() !== 0) throw new Error('the display does not know its secret')
  return stream
}

const said = async (read: (count: number) => Promise<Buffer>) =>
  (await read(Math.min(500, (await read(4)).readUInt32BE()))).toString('utf8')

/** A stream as a screen without authentication gives it. Rejects where the secret is not taken. */
export async function openDisplay(inner: Duplex, screen: Screen, signal: AbortSignal): Promise<Duplex> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_MS)])
  try {
    return withoutSecret(await prove(inner, screen, limit))
  } catch (error) {
    inner.on('error', () => undefined)
    inner.destroy()
    throw error
  }
}

/** The viewer's side of the same talk: banner, one kind of security, its choice, all is well. Then bytes pass as they are. */
function withoutSecret(inner: Duplex): Duplex {
  const steps = [
    { takes: BANNER.length, answer: Buffer.from([1, NONE]) },
    { takes: 1, answer: Buffer.from([0, 0, 0, 0]) },
  ]
  let isOpen = false
  const outer = new Duplex({
    allowHalfOpen: false,
    read: () => void (isOpen && inner.resume()),
    write(chunk: Buffer, _encoding, done) {
      let rest = chunk
      while (rest.length > 0 && steps[0]) {
        const step = steps[0]
        const taken = Math.min(step.takes, rest.length)
        step.takes -= taken
        rest = rest.subarray(taken)
        if (step.takes > 0) break
        steps.shift()
        outer.push(step.answer)
        if (steps.length === 0) begin()
      }
      if (rest.length > 0) inner.write(rest, done)
      else done()
    },
    final(done) {
      inner.end()
      done()
    },
    destroy(error, done) {
      inner.destroy()
      done(error)
    },
  })
  function begin() {
    isOpen = true
    inner.on('data', (bytes: Buffer) => {
      if (!outer.push(bytes)) inner.pause()
    })
  }
  inner.on('error', (error) => outer.destroy(error))
  inner.once('close', () => outer.push(null))
  outer.push(BANNER)
  return outer
}
