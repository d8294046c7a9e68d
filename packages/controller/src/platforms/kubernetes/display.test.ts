/** The talk with a pod's screen: the secret is proved, and above it nothing is left of it. */
import { duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { answerTo, newSecret, openDisplay, secretFile } from './display.ts'

const CHALLENGE = Buffer.from('9417c9b0cfcdf0249aa0638f1a2cee8b', 'hex')

/** A screen that asks for a secret, then echoes. `pieces`: how much of what it says comes at once. */
function startScreen(secret: string, pieces = 100) {
  const [near, far] = duplexPair()
  const say = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += pieces) far.write(bytes.subarray(at, at + pieces))
  }
  const steps = [
    { takes: 12, next: () => say(Buffer.from([2, 1, 2])) },
    { takes: 1, next: () => say(CHALLENGE) },
    {
      takes: 16,
      next: (got: Buffer) => {
        const isRight = got.equals(answerTo(CHALLENGE, secret))
        say(Buffer.from([0, 0, 0, isRight ? 0 : 1]))
      },
    },
  ]
  let waiting = Buffer.alloc(0)
  far.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes])
    while (steps[0] && waiting.length >= steps[0].takes) {
      const { takes, next } = steps.shift()!
      next(waiting.subarray(0, takes))
      waiting = waiting.subarray(takes)
    }
    if (steps.length === 0 && waiting.length > 0) {
      say(waiting)
      waiting = Buffer.alloc(0)
    }
  })
  far.on('end', () => far.end())
  say(Buffer.from('RFB 003.008\n'))
  return near
}
const signal = AbortSignal.timeout(10_000)
const plain = { secret: 'abcdefgh', certificate: null }

describe('[K8S-1.display] the screen of a pod', () => {
  test('the secret is written as Xvnc reads it and answered as it checks it', () => {
    // Both were compared with TigerVNC 1.12.
    expect(secretFile('password').toString('hex')).toBe('dbd83cfd727a1458')
    expect(newSecret()).toMatch(/^[a-zA-Z2-9]{8}$/)
    expect(newSecret()).not.toBe(newSecret())
  })

  test.each([1, 5, 100])('a viewer sees a screen that asks for nothing; %i bytes at once', async (pieces) => {
    const stream = await openDisplay(startScreen('abcdefgh', pieces), plain, signal)
    const read = async (count: number) => {
      for (;;) {
        const bytes: Buffer | null = stream.read(count)
        if (bytes) return bytes
        await new Promise((resolve) => stream.once('readable', resolve))
      }
    }
    expect((await read(12)).toString()).toBe('RFB 003.008\n')
    stream.write('RFB 003.')
    stream.write('008\n')
    expect([...(await read(2))]).toEqual([1, 1])
    // The choice and what comes after it in one piece.
    stream.write(Buffer.from([1, 42, 43]))
    expect([...(await read(4))]).toEqual([0, 0, 0, 0])
    expect([...(await read(2))]).toEqual([42, 43])
    stream.end()
    await new Promise((resolve) => stream.once('close', resolve).resume())
  })

  test.each([
    ['another secret', () => startScreen('another1'), /does not know its secret/],
    [
      'something else',
      () => {
        const [near, far] = duplexPair()
        far.end('HTTP/1.1 400 Bad Request\r\n')
        return near
      },
      /no display/,
    ],
    [
      'nothing',
      () => {
        const [near, far] = duplexPair()
        far.end()
        return near
      },
      /closed the connection/,
    ],
    [
      'a refusal',
      () => {
        const [near, far] = duplexPair()
        far.write('RFB 003.008\n')
        far.write(Buffer.concat([Buffer.from([0, 0, 0, 0, 4]), Buffer.from('full')]))
        return near
      },
      /refused: full/,
    ],
  ])('%s is no screen of ours', async (_, start, problem) => {
    await expect(openDisplay(start(), plain, signal)).rejects.toThrow(problem)
  })
})
