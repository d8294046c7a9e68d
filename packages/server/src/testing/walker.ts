/** For tests: a browser as far as redirects and cookies go. Cookies are kept for each origin; SameSite is kept as browsers keep it. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

export interface Page {
  status: number
  url: URL
  headers: IncomingHttpHeaders
  text: string
}
export interface Form {
  body: string
  /** Where the page stands that posts it. */
  from: string
}
interface Cookie {
  value: string
  strict: boolean
}

let walkers = 0
/** Each comes from an address of its own on this machine, so that limits of one network are not met by a test of many browsers. */
export function createWalker() {
  walkers += 1
  const localAddress = `127.0.${1 + ((walkers >> 8) % 250)}.${walkers % 256}`
  const jars = new Map<string, Map<string, Cookie>>()
  const jarOf = (origin: string) => {
    const jar = jars.get(origin) ?? new Map<string, Cookie>()
    jars.set(origin, jar)
    return jar
  }
  /** `from`: the origin that sends the browser there; null: its user typed it. */
  const once = (url: URL, from: string | null, form?: Form): Promise<Page> =>
    new Promise((resolve, reject) => {
      const jar = jarOf(url.origin)
      const foreign = from !== null && from !== url.origin
      const sent = [...jar].filter(([, it]) => !foreign || (!it.strict && !form))
      const call = httpRequest(
        url,
        {
          method: form ? 'POST' : 'GET',
          localAddress,
          signal: AbortSignal.timeout(15_000),
          headers: {
            accept: 'text/html',
            ...(sent.length > 0
              ? { cookie: sent.map(([name, it]) => `${name}=${it.value}`).join('; ') }
              : {}),
            ...(form ? { 'content-type': 'application/x-www-form-urlencoded', origin: form.from } : {}),
            ...(foreign ? { 'sec-fetch-site': 'cross-site' } : {}),
          },
        },
        (answer) => {
          const pieces: Buffer[] = []
          answer.on('data', (piece: Buffer) => pieces.push(piece))
          answer.on('error', reject)
          answer.on('end', () => {
            for (const line of answer.headers['set-cookie'] ?? []) {
              const [pair = '', ...attributes] = line.split(';')
              const [name = '', value = ''] = [
                pair.slice(0, pair.indexOf('=')),
                pair.slice(pair.indexOf('=') + 1),
              ]
              const dead = attributes.some((it) => /^\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(it))
              if (dead) jar.delete(name)
              else jar.set(name, { value, strict: attributes.some((it) => /samesite=strict/i.test(it)) })
            }
            const text = Buffer.concat(pieces).toString('utf8')
            resolve({ status: answer.statusCode ?? 0, url, headers: answer.headers, text })
          })
        },
      )
      call.once('error', reject)
      call.end(form?.body)
    })
  return {
    once,
    cookie: (origin: string, name: string) => jarOf(origin).get(name)?.value ?? null,
    setCookie: (origin: string, name: string, value: string) =>
      jarOf(origin).set(name, { value, strict: false }),
    forget: (origin: string) => jars.delete(origin),
    /** Until a page that is no redirect, or until `stop` says so of an address that would be gone to. */
    async go(
      to: string,
      options: { from?: string | null; form?: Form; stop?: (url: URL) => boolean } = {},
    ): Promise<Page> {
      let { from = null, form } = options
      let url = new URL(to)
      for (let left = 20; ; left--) {
        const page = await once(url, form?.from ?? from, form)
        const location = page.headers.location
        if (![301, 302, 303, 307, 308].includes(page.status) || location === undefined) return page
        if (left === 0) throw new Error('too many redirects')
        const next = new URL(location, url)
        if (options.stop?.(next)) return { ...page, url: next }
        // A chain that another site began stays foreign to the end.
        from = form?.from ?? from ?? (next.origin === url.origin ? null : url.origin)
        form = undefined
        url = next
      }
    },
  }
}
export type Walker = ReturnType<typeof createWalker>
