/** All cryptography of the tree is found and written down, of approved kinds, and what must not be guessed is random enough. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateAuthenticationOptions } from '@simplewebauthn/server'
import { Secret } from 'otpauth'
import { beforeAll, describe, expect, it } from 'vitest'
import { newFlowSecret } from '../federation/flow-secret.ts'
import { newSecret } from '../identity/cookie.ts'
import { newSecret as newKeySecret } from '../keys/secret.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const USES =
  /from '(node:crypto|@node-rs\/argon2|@peculiar\/x509|otpauth|@simplewebauthn\/(server|browser)|oidc-provider|openid-client|@node-saml\/[^']+|jose)'|crypto\.subtle|import\('@node-rs/
const PAGES = ['docs/security/sign-in.md', 'docs/security/certificates.md']

/** They must only differ: names of files that are being written, the public id of an app, serial number and name of a certificate. */
const DIFFERING = [
  'controller/src/platforms/kubernetes/screen-certificate.ts: randomBytes(15)',
  'io/src/files.ts: randomBytes(6)',
  'server/src/apps/registry.ts: randomBytes(9)',
  'server/src/apps/service-app.ts: randomBytes(9)',
  'server/src/core/secrets.ts: randomBytes(6)',
  'server/src/core/x509.ts: randomBytes(15)',
  'server/src/core/x509.ts: randomBytes(3)',
]

let sources: { file: string; text: string }[]
let page: string
beforeAll(async () => {
  const files = (await readdir(join(ROOT, 'packages'), { recursive: true })).filter(
    (it) =>
      /^\w+\/src\/.*\.tsx?$/.test(it) &&
      !/\.test\.tsx?$|\/testing[./]|testing\.ts$|conformance\.ts$/.test(it),
  )
  sources = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(ROOT, 'packages', file), 'utf8') })),
  )
  page = (await Promise.all(PAGES.map((it) => readFile(join(ROOT, it), 'utf8')))).join('\n')
})
const having = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file)
const lines = (pattern: RegExp) =>
  sources.flatMap(({ file, text }) =>
    (text.match(new RegExp(pattern, 'g')) ?? []).map((it) => `${file}: ${it}`),
  )

describe('[SEC-3.inventory] the cryptography', () => {
  it('of every file is on the page, and every file on the page is there', () => {
    const using = having(USES)
    expect(using.length).toBeGreaterThan(30)
    expect(using.filter((file) => !page.includes(`\`${file}\``))).toEqual([])
    const tables = page.slice(page.indexOf('## All keys'), page.indexOf('## Life of the keys'))
    const named = [
      ...(tables + page.slice(page.lastIndexOf('## All keys'))).matchAll(/`(\w+\/src\/[^`]+)`/g),
    ].map(([, file]) => file)
    expect(named.filter((name) => !sources.some(({ file }) => file === name))).toEqual([])
  })
  it('hashes by SHA-256, but for the handshake of WebSockets', () => {
    const others = lines(/create(Hash|Hmac)\('(?!sha256')[^']*'/)
    expect(others).toEqual(["wire/src/relay.ts: createHash('sha1'"])
  })
  it('encrypts by AES-256-GCM in one place; DES is VNC authentication, which knows no other', () => {
    expect(
      having(/createCipheriv|createDecipheriv|publicEncrypt|privateDecrypt|subtle\.(en|de)crypt/).sort(),
    ).toEqual(['controller/src/platforms/kubernetes/display.ts', 'server/src/core/envelope.ts'])
    expect(sources.find(({ file }) => file === 'server/src/core/envelope.ts')?.text).toContain(
      "'aes-256-gcm'",
    )
    expect(lines(/'(aes-\d+-(?!gcm)\w+|des-[\w-]+|des3|rc[24]|bf-\w+)'/i)).toEqual([
      "controller/src/platforms/kubernetes/display.ts: 'des-ede3-ecb'",
    ])
  })
  it('derives no key from a password, and keeps passwords by argon2id alone', () => {
    expect(having(/pbkdf2|scrypt|bcrypt/i)).toEqual([])
    expect(having(/@node-rs\/argon2/)).toEqual(['server/src/identity/passwords.ts'])
  })
  it('trusts no certificate that is not checked', () => {
    // The authority of a home is asked for without trust and then compared with the fingerprint that the join line brought.
    expect(
      having(/rejectUnauthorized: false|NODE_TLS_REJECT_UNAUTHORIZED|insecureHTTPParser|minVersion: '\w+'/),
    ).toEqual(['cli/src/lan/trust.ts'])
  })
})

describe('[SEC-3.random] what must not be guessed', () => {
  it('comes from the generator of the operating system; the other one only spreads waits and places', () => {
    expect(having(/Math\.random/).sort()).toEqual([
      'controller/src/health/judge.ts',
      'controller/src/health/prober.ts',
      'controller/src/platforms/pieces.ts',
      'dashboard/src/live.ts',
      'io/src/clock.ts',
      'wire/src/link.ts',
    ])
  })
  it('is never a UUID', () => {
    const made = lines(
      /(secret|token|code|key|ticket|password)(?!Id)\w*\s*[:=]\s*(newId|randomUUID|uuid\w*)\(/i,
    )
    expect(made).toEqual([])
  })
  it('has 128 bits and more', async () => {
    const bytes = (text: string) => Buffer.from(text, 'base64url').length
    expect(bytes(newSecret())).toBe(32)
    expect(bytes(newFlowSecret())).toBe(32)
    // 43 signs of 62.
    expect(newKeySecret().secret).toHaveLength(43)
    expect(
      bytes((await generateAuthenticationOptions({ rpID: 'localhost' })).challenge),
    ).toBeGreaterThanOrEqual(32)
    expect(new Secret({ size: 20 }).bytes).toHaveLength(20)
  })
  it('is drawn with enough bytes wherever it is drawn', () => {
    const short = lines(/randomBytes\((\d+)\)/).filter((it) => Number(/(\d+)\)$/.exec(it)?.[1]) < 16)
    expect(short.sort()).toEqual([...DIFFERING].sort())
  })
})
