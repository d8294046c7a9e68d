/** One call to an API server, in Node's own words: what tests ask of the cluster must not pass through what they test. */
import { request } from 'node:https'

const ANSWER_MS = 10_000

export interface Access {
  url: string
  token: string
  authority: string
}

export class CallFailed extends Error {
  readonly status: number
  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

/** JSON where the answer is JSON, else its text. */
export function call(
  { url, token, authority }: Access,
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const out = request(new URL(path, url), {
      method,
      ca: authority,
      agent: false,
      timeout: ANSWER_MS,
      headers: {
        authorization: `Bearer ${token}`,
        ...(text && { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
      },
    })
    out.on('timeout', () => out.destroy(new Error('no answer')))
    out.on('error', reject)
    out.on('response', (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('end', () => {
        const said = Buffer.concat(pieces).toString('utf8')
        const status = answer.statusCode ?? 0
        if (status >= 300)
          reject(new CallFailed(status, `${method} ${path}: ${status} ${said.slice(0, 500)}`))
        else resolve(answer.headers['content-type']?.includes('json') ? JSON.parse(said) : said)
      })
    })
    out.end(text)
  })
}
