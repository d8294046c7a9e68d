/** Hosts, paths, headers, traces and figures: what is read and written without a connection. */
import { createHash } from 'node:crypto'
import { fail } from '@kalnet/contracts/errors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readParent, traceOf } from '../../core/trace.ts'
import { isNear, readHost, readUri } from './address.ts'
import { createHistogram } from './figures.ts'
import { answerHeaders, othersCookies, requestHeaders, trailersOf } from './headers.ts'
import { PAGE_POLICY, pageOf, STYLE, STYLE_HASH } from './page.ts'
import { compileTable } from './table.ts'
import { routeOf } from './testing/bench.ts'

describe('[NET-1.host]', () => {
  const route = (name: string, host: string, pathPrefix = '/', access: 'public' | 'people' = 'people') => ({
    route: routeOf({ serviceName: name, access, match: { kind: 'http', host, pathPrefix } }),
  })
  const table = compileTable([
    route('root', 'a.example'),
    route('api', 'a.example', '/api'),
    route('deep', 'a.example', '/api/v2/'),
    route('wild', '*.example'),
    route('wild-api', '*.b.example', '/api'),
    route('open', 'mixed.example', '/', 'public'),
    route('admin', 'mixed.example', '/admin'),
  ])
  it.each([
    ['a.example', '/', 'root'],
    ['a.example', '/api', 'api'],
    ['a.example', '/api/', 'api'],
    ['a.example', '/apis', 'root'],
    ['a.example', '/api/v2/x', 'deep'],
    ['a.example', '/x/api', 'root'],
    ['b.example', '/', 'wild'],
    ['c.b.example', '/', null],
    ['c.b.example', '/api/x', 'wild-api'],
    ['example', '/', null],
    // Spellings that a service may read as another path.
    ['a.example', '/api/../x', 'unclear'],
    ['a.example', '/%61pi', 'unclear'],
    ['a.example', '/x/..;/api', 'unclear'],
    ['a.example', '//api', 'unclear'],
    ['a.example', '/x%2f..%2fapi', 'unclear'],
    ['a.example', '/\\api', 'unclear'],
    ['a.example', '/%25%36%31pi', 'unclear'],
    ['a.example', '/photo%20of%20me', 'root'],
    // One rule for all of it: nothing can be confused.
    ['b.example', '/a/../b//%2e', 'wild'],
    // What is open to all must not be a way round what is not.
    ['mixed.example', '/ADMIN', 'unclear'],
    ['mixed.example', '/Photos', 'open'],
    ['mixed.example', '/admin', 'admin'],
  ])('%s%s: %s', (host, path, expected) => {
    const found = table.find(host, path)
    expect(found === 'unclear' ? found : (found?.route.route.serviceName ?? null)).toBe(expected)
  })
  it('[MSH-3.changed] ten thousand routes are two looks into a map', () => {
    const many = compileTable(
      Array.from({ length: 10_000 }, (_, number) => route(`s${number}`, `s${number}.example`)),
    )
    const found = many.find('s9999.example', '/a/b/c')
    expect(found !== 'unclear' && found?.route.route.serviceName).toBe('s9999')
    const prefixes = compileTable(
      Array.from({ length: 10_000 }, (_, number) => route(`p${number}`, 'one.example', `/p${number}`)),
    )
    const led = prefixes.find('one.example', '/p9999/a/b')
    expect(led !== 'unclear' && led?.route.route.serviceName).toBe('p9999')
  })
  it.each([
    ['Photos.Example', 'photos.example'],
    ['photos.example:8080', 'photos.example'],
    ['photos.example.', 'photos.example'],
    ['[::1]:80', '::1'],
    ['127.0.0.1', '127.0.0.1'],
    ['', null],
    ['a b', null],
    ['a.example@evil', null],
    ['a/b', null],
    ['a..b', null],
    ['.a', null],
    ['[::1', null],
    ['a:99999', null],
    ['a:80:80', null],
    ['a,b', null],
  ])('the host %j is %j', (header, name) => expect(readHost(header)?.name ?? null).toBe(name))
  it.each([
    ['/a?b=c', true],
    ['*', false],
    ['/a#b', false],
    ['/a b', false],
    ['/ä', false],
    ['/\x7f', false],
    ['', false],
  ])('the target %j passes: %j', (target, passes) => expect(readUri(target) !== null).toBe(passes))
  it('near is this machine and this network', () => {
    for (const address of ['127.0.0.1', '192.168.1.4', '10.1.2.3', '::1', 'fe80::1%eth0', 'fd00::5'])
      expect(isNear(address, 0), address).toBe(true)
    for (const address of ['8.8.8.8', '2001:4860:4860::8888', '172.32.0.1', 'unknown'])
      expect(isNear(address, 0), address).toBe(false)
  })
})

const trace = { requestId: 'id-of-request', traceparent: '00-a-b-01', tracestate: null, parentId: null }
const truth = {
  address: '203.0.113.9',
  host: 'a.example:8443',
  scheme: 'https' as const,
  prefix: '',
  trace,
  add: {},
  drop: [],
}
const sent = (raw: string[], more: Partial<Parameters<typeof requestHeaders>[1]> = {}) => {
  const flat = requestHeaders(raw, { ...truth, ...more }, [])
  return flat.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${flat[at + 1]}`] : []))
}

describe('[NET-3.headers]', () => {
  it.each([
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAA'],
    ['TE', 'gzip'],
    ['X-Forwarded-For', '1.2.3.4'],
    ['X_Forwarded_For', '1.2.3.4'],
    ['X-Forwarded-Anything', 'evil'],
    ['Forwarded', 'for=1.2.3.4'],
    ['X-Real-IP', '1.2.3.4'],
    ['X-Kalnet-User', 'owner'],
    ['X_Kalnet_User', 'owner'],
    ['x-KALNET_role', 'owner'],
    ['X-Original-URL', '/admin'],
    ['X-HTTP-Method-Override', 'DELETE'],
    ['Content_Length', '5'],
    ['Transfer_Encoding', 'chunked'],
    ['Cookie', '__Host-kalnet=secret; kalnet-at=x; kalnet=y'],
    ['Cookie', 'KALNET-pass=x'],
    [':method', 'GET'],
  ])('%s: %s of a client goes nowhere', (name, value) => {
    expect(sent([name, value]).some((line) => line.endsWith(`: ${value}`))).toBe(false)
    expect(sent([name, value])).toEqual(sent([]))
  })
  it('what is true is said, once', () => {
    expect(sent(['Host', 'evil', 'Accept', 'a/b', 'Cookie', 'a=1', 'Cookie', 'kalnet=2; b=3'])).toEqual([
      'host: a.example:8443',
      'accept: a/b',
      'cookie: a=1; b=3',
      'x-forwarded-for: 203.0.113.9',
      'x-forwarded-host: a.example:8443',
      'x-forwarded-proto: https',
      'x-real-ip: 203.0.113.9',
      'forwarded: for=203.0.113.9;host="a.example:8443";proto=https',
      'x-request-id: id-of-request',
      'traceparent: 00-a-b-01',
    ])
    expect(sent([], { address: '2001:db8::1' })).toContain(
      'forwarded: for="[2001:db8::1]";host="a.example:8443";proto=https',
    )
  })
  it('Connection names what ends here, but nothing that must not', () => {
    expect(
      sent(['Connection', 'X-Mine, Host, X-Forwarded-For, cookie', 'X-Mine', '1', 'Cookie', 'a=1']),
    ).toEqual(sent(['Cookie', 'a=1']))
  })
  it('a verdict replaces what the client claimed', () => {
    const lines = sent(['Authorization', 'Basic x', 'Cookie', 'a=1', 'x-other', '1'], {
      add: { 'X-Kalnet-User': 'u', Cookie: 'b=2' },
      drop: ['Authorization', 'X-Other'],
    })
    expect(lines.filter((line) => /^(authorization|cookie|x-kalnet|x-other)/.test(line))).toEqual([
      'x-kalnet-user: u',
      'cookie: b=2',
    ])
  })
  it('no header of a client can say what we say', () => {
    const spelling = fc.stringMatching(/^[xX][-_][kK]al[nN]et[-_][a-zA-Z]{1,8}$/)
    fc.assert(fc.property(spelling, (name) => void expect(sent([name, 'evil'])).toEqual(sent([]))))
    expect(othersCookies('__Secure-kalnet-x=1')).toBe(null)
    expect(othersCookies('my-kalnet=1')).toBe('my-kalnet=1')
  })
  it('trailers carry nothing that was judged already', () => {
    expect(
      trailersOf([
        'X-Sum',
        '1',
        'Content-Length',
        '5',
        'Authorization',
        'x',
        'X-Kalnet-User',
        'u',
        'Content_Length',
        '1',
      ]),
    ).toEqual([['X-Sum', '1']])
    expect(trailersOf(['Host', 'x'])).toBe(null)
  })
  const answered = (raw: string[], more: Partial<Parameters<typeof answerHeaders>[1]> = {}) => {
    const flat = answerHeaders(raw, { requestId: 'r', safety: true, secure: false, sticky: null, ...more })
    return flat.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${flat[at + 1]}`] : []))
  }
  it('an answer is made safe where the service says nothing itself', () => {
    expect(answered([])).toEqual([
      'x-content-type-options: nosniff',
      'referrer-policy: strict-origin-when-cross-origin',
      'x-frame-options: SAMEORIGIN',
      'x-request-id: r',
    ])
    expect(
      answered([
        'X-Frame-Options',
        'DENY',
        'Referrer-Policy',
        'no-referrer',
        'X-Content-Type-Options',
        'nosniff',
      ]).length,
    ).toBe(4)
    expect(answered(['Content-Security-Policy', 'frame-ancestors *'])).not.toContain(
      'x-frame-options: SAMEORIGIN',
    )
    expect(answered([], { secure: true })).toContain('strict-transport-security: max-age=31536000')
    expect(answered([], { safety: false })).toEqual(['x-request-id: r'])
  })
  it('[STR-1.isolated-origin] a service sets no cookie of ours and points nowhere else', () => {
    const lines = answered(
      [
        'Set-Cookie',
        'kalnet=x; Domain=example',
        'Set-Cookie',
        ' __Host-kalnet-pass=x',
        'Set-Cookie',
        'a=1',
        'Alt-Svc',
        'h3=":1"',
        'Connection',
        'X-Hop',
        'X-Hop',
        '1',
        'X-Kalnet-User',
        'u',
        'Keep-Alive',
        '5',
      ],
      { safety: false },
    )
    expect(lines).toEqual(['set-cookie: a=1', 'x-request-id: r'])
  })
})

describe('[MSH-5.trace]', () => {
  const id = 'a'.repeat(32)
  it.each([
    [`00-${id}-${'b'.repeat(16)}-01`, true],
    [`00-${id}-${'b'.repeat(16)}-00`, true],
    [`cc-${id}-${'b'.repeat(16)}-01-what-comes-later`, true],
    [`00-${id}-${'b'.repeat(16)}-01-more`, false],
    [`ff-${id}-${'b'.repeat(16)}-01`, false],
    [`00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, false],
    [`00-${id}-${'0'.repeat(16)}-01`, false],
    [`00-${id.toUpperCase()}-${'b'.repeat(16)}-01`, false],
    ['', false],
  ])('%s is continued: %s', (header, continued) => {
    const { traceparent, tracestate } = traceOf(undefined, header, 'vendor=1')
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    expect(traceparent.includes(id)).toBe(continued)
    expect(traceparent.includes('b'.repeat(16))).toBe(false)
    expect(tracestate).toBe(continued ? 'vendor=1' : null)
    expect(readParent(header) !== null).toBe(continued)
  })
  it.each([
    ['abc-DEF_123', true],
    ['short', false],
    ['a'.repeat(65), false],
    ['x\r\ny: z1234', false],
    ['<script>1234', false],
  ])('the correlation id %j is taken: %s', (id, taken) =>
    expect(traceOf(id, undefined, undefined).requestId === id).toBe(taken),
  )
})

describe('[MSH-5.figures]', () => {
  it('a quantile is right within 7 %, from a microsecond to an hour', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (values) => {
          const histogram = createHistogram()
          for (const value of values) histogram.add(value)
          const sorted = [...values].sort((one, other) => one - other)
          for (const share of [0.5, 0.99]) {
            const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
            const told = histogram.quantile(share) ?? 0
            expect(told).toBeGreaterThanOrEqual(exact * 0.99 - 0.001)
            expect(told).toBeLessThanOrEqual(exact * 1.07 + 0.002)
          }
        },
      ),
    )
    expect(createHistogram().quantile(0.5)).toBe(null)
  })
})

describe('[NET-1.pages]', () => {
  it('the page carries no script, its style is allowed by its hash, and what it says is no markup', () => {
    const page = pageOf(fail('gateway-route.unknown', { host: '<img src=x onerror=alert(1)>' }), 'r')
    expect(page).not.toContain('<img')
    expect(page).toContain('&lt;img')
    expect(page).not.toMatch(/<script|onload|style=/)
    expect(STYLE_HASH).toBe(`sha256-${createHash('sha256').update(STYLE).digest('base64')}`)
    expect(PAGE_POLICY).toContain(STYLE_HASH)
    expect(STYLE).toContain('prefers-color-scheme:dark')
  })
})
